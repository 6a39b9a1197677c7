import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Call } from '../../shared/call.ts'
import { createShareCall } from '../../shared/shared-calls.ts'
import { createCall } from '../support/calls.ts'
import { createFakeClock } from '../support/fake-clock.ts'

type Flight = { call: Call; land: (result: string) => void; crash: (error: Error) => void }

/** Callers of one share, whose flights a test lands by hand. */
function airport(clock = createFakeClock()) {
  const share = createShareCall(clock)
  const flights: Flight[] = []
  const fly = (call: Call, key = 'orders') =>
    share(
      key,
      call,
      joint =>
        new Promise<string>((land, crash) => {
          flights.push({ call: joint, land, crash })
        }),
    )
  const flight = (index = flights.length - 1): Flight => {
    const found = flights[index]
    if (found === undefined) throw new Error(`No flight ${index}`)
    return found
  }
  return { fly, flights, flight }
}

const outcome = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error)
const late = (name: string) => new Error(`${name} is late`)

describe('callers of an equal key', () => {
  test('share one flight and its result', async () => {
    const { fly, flights, flight } = airport()
    const results = Promise.all([fly(createCall()), fly(createCall()), fly(createCall())])
    flight().land('orders')

    expect(await results).toEqual(['orders', 'orders', 'orders'])
    expect(flights).toHaveLength(1)
  })

  test('share its failure', async () => {
    const { fly, flight } = airport()
    const results = [outcome(fly(createCall())), outcome(fly(createCall()))]
    const error = new Error('down')
    flight().crash(error)

    expect(await Promise.all(results)).toEqual([error, error])
  })

  test('take off anew once the flight has landed, well or not', async () => {
    const { fly, flights, flight } = airport()
    const first = fly(createCall())
    flight().land('first')
    expect(await first).toBe('first')
    const second = outcome(fly(createCall()))
    flight().crash(new Error('second'))
    expect(await second).toEqual(new Error('second'))
    const third = fly(createCall())
    flight().land('third')
    expect(await third).toBe('third')
    expect(flights).toHaveLength(3)
  })

  test('of other keys fly apart', async () => {
    const { fly, flights, flight } = airport()
    const results = Promise.all([fly(createCall(), 'a'), fly(createCall(), 'b')])
    flight(1).land('b')
    flight(0).land('a')

    expect(await results).toEqual(['a', 'b'])
    expect(flights).toHaveLength(2)
  })
})

describe('a caller whose deadline passes', () => {
  test('leaves with its own reason, the others stay', async () => {
    const { fly, flight } = airport()
    const [early, patient] = [createCall(), createCall()]
    const results = [outcome(fly(early)), outcome(fly(patient))]
    early.abort(late('early'))

    expect(await results[0]).toEqual(late('early'))
    expect(flight().call.deadline.signal.aborted).toBe(false)
    flight().land('orders')
    expect(await results[1]).toBe('orders')
  })

  test('before it comes takes no part', async () => {
    const { fly, flights } = airport()
    const call = createCall()
    call.abort(late('call'))

    expect(await outcome(fly(call))).toEqual(late('call'))
    expect(flights).toHaveLength(0)
  })

  test.each(['well', 'badly'])(
    'after a flight has ended %s changes nothing, not for a later flight either',
    async end => {
      const { fly, flights, flight } = airport()
      const call = createCall()
      const first = outcome(fly(call))
      if (end === 'well') flight().land('first')
      else flight().crash(new Error('first'))
      await first
      const second = [fly(createCall())]
      call.abort(late('call'))
      second.push(fly(createCall()))
      expect(flight(1).call.deadline.signal.aborted).toBe(false)
      flight(1).land('second')
      expect(await Promise.all(second)).toEqual(['second', 'second'])
      expect(flights).toHaveLength(2)
    },
  )
})

describe('a flight', () => {
  test('is given up, with the reason, when its last caller leaves', async () => {
    const { fly, flight } = airport()
    const [first, second] = [createCall(), createCall()]
    const results = [outcome(fly(first)), outcome(fly(second))]
    first.abort(late('first'))
    expect(flight().call.deadline.signal.aborted).toBe(false)
    second.abort(late('second'))

    expect(flight().call.deadline.signal.reason).toEqual(late('second'))
    expect(await Promise.all(results)).toEqual([late('first'), late('second')])
  })

  test('that was given up does not keep its key, nor take it from its successor', async () => {
    const { fly, flights, flight } = airport()
    const gone = createCall()
    const first = outcome(fly(gone))
    gone.abort(late('gone'))
    await first
    const second = fly(createCall())
    flight(0).crash(new Error('given up'))
    await new Promise(resolve => setImmediate(resolve))
    const third = fly(createCall())

    expect(flights).toHaveLength(2)
    flight(1).land('orders')
    expect(await Promise.all([second, third])).toEqual(['orders', 'orders'])
  })

  test('is not given up after it has landed', async () => {
    const { fly, flight } = airport()
    const call = createCall()
    const result = fly(call)
    flight().land('orders')
    await result
    call.abort(late('call'))
    expect(flight().call.deadline.signal.aborted).toBe(false)
  })

  test('has the time of its first caller, whoever comes later', async () => {
    const clock = createFakeClock()
    const { fly, flight } = airport(clock)
    const results = [outcome(fly(createCall({ clock, seconds: 10 })))]
    await clock.advance(4000)
    results.push(outcome(fly(createCall({ clock, seconds: 50 }))))
    expect(flight().call.deadline.at - clock.now()).toBe(6000)
    await clock.advance(6000)
    expect(flight().call.deadline.signal.aborted).toBe(true)
    expect(await Promise.all(results)).toEqual([
      expect.objectContaining({ code: 'deadline_exceeded' }),
      expect.objectContaining({ code: 'deadline_exceeded' }),
    ])
  })

  test('that gets no response fails those who came in its first caller’s time, and nobody after them', async () => {
    const clock = createFakeClock()
    const { fly, flights, flight } = airport(clock)
    const results: Promise<unknown>[] = []
    for (let caller = 0; caller < 12; caller++) {
      results.push(outcome(fly(createCall({ clock, seconds: 3 }))))
      await clock.advance(500)
      // The first response is lost; every later one comes at once.
      if (flights.length > 1) flight().land('orders')
    }
    const failed = (await Promise.all(results)).filter(result => result !== 'orders')
    expect(failed).toHaveLength(6)
    expect(flights.length).toBeGreaterThan(1)
  })

  test('goes by the id of its first caller and logs to one still on board', async () => {
    const { fly, flight } = airport()
    const [first, second] = [createCall({ correlationId: 'first' }), createCall({ correlationId: 'second' })]
    const results = [outcome(fly(first)), outcome(fly(second))]
    expect(flight().call.correlationId).toBe('first')
    flight().call.log('info', 'one')
    first.abort(late('first'))
    flight().call.log('warn', 'two', { a: 1 })
    second.abort(late('second'))
    flight().call.log('warn', 'three')

    expect(first.logged.map(({ event }) => event)).toEqual(['one'])
    expect(second.logged).toEqual([{ level: 'warn', event: 'two', fields: { a: 1 } }])
    await Promise.all(results)
  })

  test('keeps its promises to every caller in any order of coming, leaving and landing', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant('come' as const) },
      { weight: 3, arbitrary: fc.nat({ max: 5 }) },
      { weight: 1, arbitrary: fc.constant('land' as const) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async steps => {
        const { fly, flights } = airport()
        const passengers: { call: ReturnType<typeof createCall>; result: Promise<unknown>; expected: unknown }[] = []
        let aboard: number[] = []
        let takeOffs = 0
        let givenUp = false
        for (const each of steps) {
          if (each === 'come') {
            if (aboard.length === 0) {
              takeOffs++
              givenUp = false
            }
            const call = createCall()
            passengers.push({ call, result: outcome(fly(call)), expected: 'never' })
            aboard.push(passengers.length - 1)
          } else if (each === 'land') {
            flights.at(-1)?.land(`flight ${takeOffs}`)
            for (const index of aboard) Object.assign(passengers[index] ?? {}, { expected: `flight ${takeOffs}` })
            aboard = []
            await new Promise(resolve => setImmediate(resolve))
          } else {
            passengers[each]?.call.abort(late(String(each)))
            if (aboard.includes(each)) {
              Object.assign(passengers[each] ?? {}, { expected: late(String(each)) })
              givenUp = aboard.length === 1
            }
            aboard = aboard.filter(index => index !== each)
          }
          expect(flights.at(-1)?.call.deadline.signal.aborted ?? false).toBe(givenUp)
          expect(flights).toHaveLength(takeOffs)
        }
        flights.at(-1)?.land(`flight ${takeOffs}`)
        for (const { result, expected } of passengers) {
          expect(await result).toEqual(expected === 'never' ? `flight ${takeOffs}` : expected)
        }
      }),
      { numRuns: 1000 },
    )
  })
})
