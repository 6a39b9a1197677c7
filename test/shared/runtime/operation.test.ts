import { describe, expect, test } from 'vitest'
import {
  currentDeadline,
  type Deadline,
  deadlineExceeded,
  timeLimit,
  withDeadline,
} from '../../../shared/runtime/operation.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const never = () => new Promise<never>(() => undefined)
const outcome = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error)

describe('work under a deadline', () => {
  test('work under a deadline is rejected when its time is up even if it never settles, and its signal aborts', async () => {
    const clock = createFakeClock()
    let deadline: Deadline | undefined
    const result = outcome(
      withDeadline(clock, timeLimit(clock, 3), given => {
        deadline = given
        return never()
      }),
    )
    expect(deadline?.at).toBe(clock.now() + 3000)
    await clock.advance(2999)
    expect(deadline?.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(deadline?.signal.aborted).toBe(true)
    const error = await result
    expect(error).toMatchObject({ code: 'deadline_exceeded', options: { retryAfterSeconds: 30 } })
    expect(String(error)).toContain('within 3 seconds')
  })

  test('work that ends before its deadline is not aborted', async () => {
    const clock = createFakeClock()
    let signal: AbortSignal | undefined
    const result = await withDeadline(clock, timeLimit(clock, 3), async deadline => {
      signal = deadline.signal
      return 'done'
    })
    await clock.advance(60_000)
    expect(result).toBe('done')
    expect(signal?.aborted).toBe(false)
  })

  test('work that fails aborts the calls that it started', async () => {
    const clock = createFakeClock()
    let leftBehind: AbortSignal | undefined
    const failure = new Error('one of two')
    const result = outcome(
      withDeadline(clock, timeLimit(clock, 3), async ({ signal }) => {
        leftBehind = signal
        await Promise.all([never(), Promise.reject(failure)])
      }),
    )
    expect(await result).toBe(failure)
    expect(leftBehind?.reason).toBe(failure)
  })

  test('work under a deadline ends with its parent deadline', async () => {
    const clock = createFakeClock()
    let inner: AbortSignal | undefined
    const result = outcome(
      withDeadline(clock, timeLimit(clock, 3), outer =>
        withDeadline(clock, timeLimit(clock, 60, outer), deadline => {
          expect(deadline.at).toBe(outer.at)
          inner = deadline.signal
          return never()
        }),
      ),
    )
    await clock.advance(3000)
    expect(await result).toMatchObject({ code: 'deadline_exceeded' })
    expect(inner?.aborted).toBe(true)
  })

  test('work under a deadline does not start after its parent deadline', async () => {
    const clock = createFakeClock()
    const reason = new Error('too late')
    let begun = false
    const limit = { ...timeLimit(clock, 3), signal: AbortSignal.abort(reason) }
    expect(await outcome(withDeadline(clock, limit, async () => (begun = true)))).toBe(reason)
    expect(begun).toBe(false)
  })

  test('the current deadline is visible to nested calls, and to nothing else', async () => {
    const clock = createFakeClock()
    const seen = await withDeadline(clock, timeLimit(clock, 3), async deadline => {
      await Promise.resolve()
      return [deadline, currentDeadline()]
    })
    expect(seen[1]).toBe(seen[0])
    expect(currentDeadline()).toBeUndefined()
  })
})

test.each([
  [3, 1000],
  [60, 20_000],
  [90, 30_000],
  [1680, 30_000],
])('with a deadline of %i seconds a call can stay silent for %i milliseconds', (seconds, silenceMs) => {
  const clock = createFakeClock()
  expect(timeLimit(clock, seconds).silenceMs).toBe(silenceMs)
})

test('a nested time limit allows no longer silence', () => {
  const clock = createFakeClock()
  const parent: Deadline = { at: clock.now() + 3000, silenceMs: 1000, signal: new AbortController().signal }
  expect(timeLimit(clock, 60, parent)).toMatchObject({ at: parent.at, silenceMs: 1000, signal: parent.signal })
})

test('deadline_exceeded is retryable and has whole seconds', () => {
  expect(deadlineExceeded(100)).toMatchObject({ code: 'deadline_exceeded', status: 503, retryable: true })
  expect(deadlineExceeded(4.7992).message).toContain('within 5 seconds')
})
