import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../../../shared/runtime/clock.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** The state of a sleep, and the reason if it was aborted. */
function watch(sleep: Promise<void>) {
  const seen = { state: 'asleep', reason: undefined as unknown }
  sleep.then(
    () => {
      seen.state = 'awake'
    },
    (reason: unknown) => {
      seen.state = 'woken'
      seen.reason = reason
    },
  )
  return seen
}

describe('a sleep', () => {
  test('a sleep takes at least its time', async () => {
    const sleeper = watch(systemClock.sleep(1000))
    await vi.advanceTimersByTimeAsync(999)
    expect(sleeper.state).toBe('asleep')
    await vi.advanceTimersByTimeAsync(1)
    expect(sleeper.state).toBe('awake')
  })

  test.each([0, -1])('a sleep of %d ms is over at once', async ms => {
    const sleeper = watch(systemClock.sleep(ms))
    await vi.advanceTimersByTimeAsync(0)
    expect(sleeper.state).toBe('awake')
  })

  test('a sleep longer than any timer does not end at once', async () => {
    const abort = new AbortController()
    const sleeper = watch(systemClock.sleep(2 ** 40, abort.signal))
    await vi.advanceTimersByTimeAsync(86_400_000)
    expect(sleeper.state).toBe('asleep')
    abort.abort()
  })

  test('a sleep ends with the reason as soon as its signal aborts, and leaves no timer', async () => {
    const abort = new AbortController()
    const sleeper = watch(systemClock.sleep(1000, abort.signal))
    const reason = new Error('enough')
    abort.abort(reason)
    await vi.advanceTimersByTimeAsync(0)
    expect(sleeper).toEqual({ state: 'woken', reason })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a sleep does not start if its signal has aborted', async () => {
    const reason = new Error('too late')
    const sleeper = watch(systemClock.sleep(1000, AbortSignal.abort(reason)))
    expect(vi.getTimerCount()).toBe(0)
    await vi.advanceTimersByTimeAsync(0)
    expect(sleeper).toEqual({ state: 'woken', reason })
  })

  test('a finished sleep removes its listener from the signal', async () => {
    const { signal } = new AbortController()
    const added = vi.spyOn(signal, 'addEventListener')
    const removed = vi.spyOn(signal, 'removeEventListener')
    const sleep = systemClock.sleep(10, signal)
    await vi.advanceTimersByTimeAsync(10)
    await sleep
    expect(added).toHaveBeenCalledOnce()
    expect(removed.mock.calls).toEqual(added.mock.calls.map(([type, listener]) => [type, listener]))
  })
})

test('the system clock returns the time and random numbers', () => {
  const before = Date.now()
  const now = systemClock.now()
  expect(now).toBeGreaterThanOrEqual(before)
  expect(now).toBeLessThanOrEqual(Date.now())
  const drawn = Array.from({ length: 100 }, systemClock.random)
  expect(drawn.every(each => each >= 0 && each < 1)).toBe(true)
  expect(new Set(drawn).size).toBeGreaterThan(90)
})
