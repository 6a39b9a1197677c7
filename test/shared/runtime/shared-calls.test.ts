import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { OperationContext } from '../../../shared/runtime/operation.ts'
import { createShareCall } from '../../../shared/runtime/shared-calls.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { createOperation } from '../../support/operations.ts'

type StartedCall = { operation: OperationContext; resolve: (result: string) => void; reject: (error: Error) => void }

/** Callers of one shared call, whose result a test sets. */
function createCallers(clock = createFakeClock()) {
  const share = createShareCall(clock)
  const calls: StartedCall[] = []
  const join = (operation: OperationContext, key = 'orders') =>
    share(
      key,
      operation,
      joint =>
        new Promise<string>((resolve, reject) => {
          calls.push({ operation: joint, resolve, reject })
        }),
    )
  const call = (index = calls.length - 1): StartedCall => {
    const found = calls[index]
    if (found === undefined) throw new Error(`No call ${index}`)
    return found
  }
  return { join, calls, call }
}

const outcome = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error)
const late = (name: string) => new Error(`${name} is late`)

describe('callers of an equal key', () => {
  test('callers of an equal key share one call and its result', async () => {
    const { join, calls, call } = createCallers()
    const results = Promise.all([join(createOperation()), join(createOperation()), join(createOperation())])
    call().resolve('orders')

    expect(await results).toEqual(['orders', 'orders', 'orders'])
    expect(calls).toHaveLength(1)
  })

  test('callers of an equal key share the failure of their call', async () => {
    const { join, call } = createCallers()
    const results = [outcome(join(createOperation())), outcome(join(createOperation()))]
    const error = new Error('down')
    call().reject(error)

    expect(await Promise.all(results)).toEqual([error, error])
  })

  test('callers of an equal key start a new call after the last one has settled', async () => {
    const { join, calls, call } = createCallers()
    const first = join(createOperation())
    call().resolve('first')
    expect(await first).toBe('first')
    const second = outcome(join(createOperation()))
    call().reject(new Error('second'))
    expect(await second).toEqual(new Error('second'))
    const third = join(createOperation())
    call().resolve('third')
    expect(await third).toBe('third')
    expect(calls).toHaveLength(3)
  })

  test('callers of different keys have separate calls', async () => {
    const { join, calls, call } = createCallers()
    const results = Promise.all([join(createOperation(), 'a'), join(createOperation(), 'b')])
    call(1).resolve('b')
    call(0).resolve('a')

    expect(await results).toEqual(['a', 'b'])
    expect(calls).toHaveLength(2)
  })
})

describe('a caller whose deadline passes', () => {
  test('a caller whose deadline passes leaves with its own reason, and the others stay', async () => {
    const { join, call } = createCallers()
    const [early, patient] = [createOperation(), createOperation()]
    const results = [outcome(join(early)), outcome(join(patient))]
    early.abort(late('early'))

    expect(await results[0]).toEqual(late('early'))
    expect(call().operation.deadline.signal.aborted).toBe(false)
    call().resolve('orders')
    expect(await results[1]).toBe('orders')
  })

  test('a caller whose deadline has passed does not join', async () => {
    const { join, calls } = createCallers()
    const operation = createOperation()
    operation.abort(late('call'))

    expect(await outcome(join(operation))).toEqual(late('call'))
    expect(calls).toHaveLength(0)
  })

  test.each(['well', 'badly'])(
    'a deadline that passes after a call has ended %s changes nothing, nor for a later call',
    async end => {
      const { join, calls, call } = createCallers()
      const operation = createOperation()
      const first = outcome(join(operation))
      if (end === 'well') call().resolve('first')
      else call().reject(new Error('first'))
      await first
      const second = [join(createOperation())]
      operation.abort(late('call'))
      second.push(join(createOperation()))
      expect(call(1).operation.deadline.signal.aborted).toBe(false)
      call(1).resolve('second')
      expect(await Promise.all(second)).toEqual(['second', 'second'])
      expect(calls).toHaveLength(2)
    },
  )
})

describe('a shared call', () => {
  test('a shared call is aborted with the reason when its last caller leaves', async () => {
    const { join, call } = createCallers()
    const [first, second] = [createOperation(), createOperation()]
    const results = [outcome(join(first)), outcome(join(second))]
    first.abort(late('first'))
    expect(call().operation.deadline.signal.aborted).toBe(false)
    second.abort(late('second'))

    expect(call().operation.deadline.signal.reason).toEqual(late('second'))
    expect(await Promise.all(results)).toEqual([late('first'), late('second')])
  })

  test('an aborted call neither keeps its key nor takes it from its successor', async () => {
    const { join, calls, call } = createCallers()
    const gone = createOperation()
    const first = outcome(join(gone))
    gone.abort(late('gone'))
    await first
    const second = join(createOperation())
    call(0).reject(new Error('given up'))
    await new Promise(resolve => setImmediate(resolve))
    const third = join(createOperation())

    expect(calls).toHaveLength(2)
    call(1).resolve('orders')
    expect(await Promise.all([second, third])).toEqual(['orders', 'orders'])
  })

  test('a shared call is not aborted after it has settled', async () => {
    const { join, call } = createCallers()
    const operation = createOperation()
    const result = join(operation)
    call().resolve('orders')
    await result
    operation.abort(late('call'))
    expect(call().operation.deadline.signal.aborted).toBe(false)
  })

  test('a shared call has the deadline of its first caller', async () => {
    const clock = createFakeClock()
    const { join, call } = createCallers(clock)
    const results = [outcome(join(createOperation({ clock, seconds: 10 })))]
    await clock.advance(4000)
    results.push(outcome(join(createOperation({ clock, seconds: 50 }))))
    expect(call().operation.deadline.at - clock.now()).toBe(6000)
    await clock.advance(6000)
    expect(call().operation.deadline.signal.aborted).toBe(true)
    expect(await Promise.all(results)).toEqual([
      expect.objectContaining({ code: 'deadline_exceeded' }),
      expect.objectContaining({ code: 'deadline_exceeded' }),
    ])
  })

  test('a lost response fails the callers within the first caller’s deadline, and no later ones', async () => {
    const clock = createFakeClock()
    const { join, calls, call } = createCallers(clock)
    const results: Promise<unknown>[] = []
    for (let caller = 0; caller < 12; caller++) {
      results.push(outcome(join(createOperation({ clock, seconds: 3 }))))
      await clock.advance(500)
      // The first response is lost, and later ones come at once.
      if (calls.length > 1) call().resolve('orders')
    }
    const failed = (await Promise.all(results)).filter(result => result !== 'orders')
    expect(failed).toHaveLength(6)
    expect(calls.length).toBeGreaterThan(1)
  })

  test('a shared call has the id of its first caller and logs to a remaining caller', async () => {
    const { join, call } = createCallers()
    const [first, second] = [createOperation({ correlationId: 'first' }), createOperation({ correlationId: 'second' })]
    const results = [outcome(join(first)), outcome(join(second))]
    expect(call().operation.correlationId).toBe('first')
    call().operation.log('info', 'one')
    first.abort(late('first'))
    call().operation.log('warn', 'two', { a: 1 })
    second.abort(late('second'))
    call().operation.log('warn', 'three')

    expect(first.logged.map(({ event }) => event)).toEqual(['one'])
    expect(second.logged).toEqual([{ level: 'warn', event: 'two', fields: { a: 1 } }])
    await Promise.all(results)
  })

  test('a shared call is correct for every order of joining, leaving and settling', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant('come' as const) },
      { weight: 3, arbitrary: fc.nat({ max: 5 }) },
      { weight: 1, arbitrary: fc.constant('resolve' as const) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async steps => {
        const { join, calls } = createCallers()
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
            passengers.push({ operation, result: outcome(join(operation)), expected: 'never' })
            aboard.push(passengers.length - 1)
          } else if (each === 'resolve') {
            calls.at(-1)?.resolve(`call ${takeOffs}`)
            for (const index of aboard) Object.assign(passengers[index] ?? {}, { expected: `call ${takeOffs}` })
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
          expect(calls.at(-1)?.operation.deadline.signal.aborted ?? false).toBe(givenUp)
          expect(calls).toHaveLength(takeOffs)
        }
        calls.at(-1)?.resolve(`call ${takeOffs}`)
        for (const { result, expected } of passengers) {
          expect(await result).toEqual(expected === 'never' ? `call ${takeOffs}` : expected)
        }
      }),
      { numRuns: 1000 },
    )
  })
})
