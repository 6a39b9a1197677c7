import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { OperationContext } from '../../../shared/runtime/operation.ts'
import { createShareCall } from '../../../shared/runtime/shared-calls.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { createOperation } from '../../support/operations.ts'

type Flight = { operation: OperationContext; land: (result: string) => void; crash: (error: Error) => void }

/** Callers of one share, whose flights a test lands by hand. */
function airport(clock = createFakeClock()) {
  const share = createShareCall(clock)
  const flights: Flight[] = []
  const fly = (operation: OperationContext, key = 'orders') =>
    share(
      key,
      operation,
      joint =>
        new Promise<string>((land, crash) => {
          flights.push({ operation: joint, land, crash })
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
  test('callers of an equal key share one call and its result', async () => {
    const { fly, flights, flight } = airport()
    const results = Promise.all([fly(createOperation()), fly(createOperation()), fly(createOperation())])
    flight().land('orders')

    expect(await results).toEqual(['orders', 'orders', 'orders'])
    expect(flights).toHaveLength(1)
  })

  test('callers of an equal key share the failure of their call', async () => {
    const { fly, flight } = airport()
    const results = [outcome(fly(createOperation())), outcome(fly(createOperation()))]
    const error = new Error('down')
    flight().crash(error)

    expect(await Promise.all(results)).toEqual([error, error])
  })

  test('callers of an equal key start a new call after the last one has settled', async () => {
    const { fly, flights, flight } = airport()
    const first = fly(createOperation())
    flight().land('first')
    expect(await first).toBe('first')
    const second = outcome(fly(createOperation()))
    flight().crash(new Error('second'))
    expect(await second).toEqual(new Error('second'))
    const third = fly(createOperation())
    flight().land('third')
    expect(await third).toBe('third')
    expect(flights).toHaveLength(3)
  })

  test('callers of different keys have separate calls', async () => {
    const { fly, flights, flight } = airport()
    const results = Promise.all([fly(createOperation(), 'a'), fly(createOperation(), 'b')])
    flight(1).land('b')
    flight(0).land('a')

    expect(await results).toEqual(['a', 'b'])
    expect(flights).toHaveLength(2)
  })
})

describe('a caller whose deadline passes', () => {
  test('a caller whose deadline passes leaves with its own reason, and the others stay', async () => {
    const { fly, flight } = airport()
    const [early, patient] = [createOperation(), createOperation()]
    const results = [outcome(fly(early)), outcome(fly(patient))]
    early.abort(late('early'))

    expect(await results[0]).toEqual(late('early'))
    expect(flight().operation.deadline.signal.aborted).toBe(false)
    flight().land('orders')
    expect(await results[1]).toBe('orders')
  })

  test('a caller whose deadline has passed does not join', async () => {
    const { fly, flights } = airport()
    const operation = createOperation()
    operation.abort(late('call'))

    expect(await outcome(fly(operation))).toEqual(late('call'))
    expect(flights).toHaveLength(0)
  })

  test.each(['well', 'badly'])(
    'a deadline that passes after a call has ended %s changes nothing, nor for a later call',
    async end => {
      const { fly, flights, flight } = airport()
      const operation = createOperation()
      const first = outcome(fly(operation))
      if (end === 'well') flight().land('first')
      else flight().crash(new Error('first'))
      await first
      const second = [fly(createOperation())]
      operation.abort(late('call'))
      second.push(fly(createOperation()))
      expect(flight(1).operation.deadline.signal.aborted).toBe(false)
      flight(1).land('second')
      expect(await Promise.all(second)).toEqual(['second', 'second'])
      expect(flights).toHaveLength(2)
    },
  )
})

describe('a flight', () => {
  test('a shared call is aborted with the reason when its last caller leaves', async () => {
    const { fly, flight } = airport()
    const [first, second] = [createOperation(), createOperation()]
    const results = [outcome(fly(first)), outcome(fly(second))]
    first.abort(late('first'))
    expect(flight().operation.deadline.signal.aborted).toBe(false)
    second.abort(late('second'))

    expect(flight().operation.deadline.signal.reason).toEqual(late('second'))
    expect(await Promise.all(results)).toEqual([late('first'), late('second')])
  })

  test('an aborted call neither keeps its key nor takes it from its successor', async () => {
    const { fly, flights, flight } = airport()
    const gone = createOperation()
    const first = outcome(fly(gone))
    gone.abort(late('gone'))
    await first
    const second = fly(createOperation())
    flight(0).crash(new Error('given up'))
    await new Promise(resolve => setImmediate(resolve))
    const third = fly(createOperation())

    expect(flights).toHaveLength(2)
    flight(1).land('orders')
    expect(await Promise.all([second, third])).toEqual(['orders', 'orders'])
  })

  test('a shared call is not aborted after it has settled', async () => {
    const { fly, flight } = airport()
    const operation = createOperation()
    const result = fly(operation)
    flight().land('orders')
    await result
    operation.abort(late('call'))
    expect(flight().operation.deadline.signal.aborted).toBe(false)
  })

  test('a shared call has the deadline of its first caller', async () => {
    const clock = createFakeClock()
    const { fly, flight } = airport(clock)
    const results = [outcome(fly(createOperation({ clock, seconds: 10 })))]
    await clock.advance(4000)
    results.push(outcome(fly(createOperation({ clock, seconds: 50 }))))
    expect(flight().operation.deadline.at - clock.now()).toBe(6000)
    await clock.advance(6000)
    expect(flight().operation.deadline.signal.aborted).toBe(true)
    expect(await Promise.all(results)).toEqual([
      expect.objectContaining({ code: 'deadline_exceeded' }),
      expect.objectContaining({ code: 'deadline_exceeded' }),
    ])
  })

  test('a lost response fails the callers within the first caller’s deadline, and no later ones', async () => {
    const clock = createFakeClock()
    const { fly, flights, flight } = airport(clock)
    const results: Promise<unknown>[] = []
    for (let caller = 0; caller < 12; caller++) {
      results.push(outcome(fly(createOperation({ clock, seconds: 3 }))))
      await clock.advance(500)
      // The first response is lost; every later one comes at once.
      if (flights.length > 1) flight().land('orders')
    }
    const failed = (await Promise.all(results)).filter(result => result !== 'orders')
    expect(failed).toHaveLength(6)
    expect(flights.length).toBeGreaterThan(1)
  })

  test('a shared call has the id of its first caller and logs to a remaining caller', async () => {
    const { fly, flight } = airport()
    const [first, second] = [createOperation({ correlationId: 'first' }), createOperation({ correlationId: 'second' })]
    const results = [outcome(fly(first)), outcome(fly(second))]
    expect(flight().operation.correlationId).toBe('first')
    flight().operation.log('info', 'one')
    first.abort(late('first'))
    flight().operation.log('warn', 'two', { a: 1 })
    second.abort(late('second'))
    flight().operation.log('warn', 'three')

    expect(first.logged.map(({ event }) => event)).toEqual(['one'])
    expect(second.logged).toEqual([{ level: 'warn', event: 'two', fields: { a: 1 } }])
    await Promise.all(results)
  })

  test('a shared call is correct for every order of joining, leaving and settling', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant('come' as const) },
      { weight: 3, arbitrary: fc.nat({ max: 5 }) },
      { weight: 1, arbitrary: fc.constant('land' as const) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async steps => {
        const { fly, flights } = airport()
        const passengers: {
          operation: ReturnType<typeof createOperation>
          result: Promise<unknown>
          expected: unknown
        }[] = []
        let aboard: number[] = []
        let takeOffs = 0
        let givenUp = false
        for (const each of steps) {
          if (each === 'come') {
            if (aboard.length === 0) {
              takeOffs++
              givenUp = false
            }
            const operation = createOperation()
            passengers.push({ operation, result: outcome(fly(operation)), expected: 'never' })
            aboard.push(passengers.length - 1)
          } else if (each === 'land') {
            flights.at(-1)?.land(`flight ${takeOffs}`)
            for (const index of aboard) Object.assign(passengers[index] ?? {}, { expected: `flight ${takeOffs}` })
            aboard = []
            await new Promise(resolve => setImmediate(resolve))
          } else {
            passengers[each]?.operation.abort(late(String(each)))
            if (aboard.includes(each)) {
              Object.assign(passengers[each] ?? {}, { expected: late(String(each)) })
              givenUp = aboard.length === 1
            }
            aboard = aboard.filter(index => index !== each)
          }
          expect(flights.at(-1)?.operation.deadline.signal.aborted ?? false).toBe(givenUp)
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
