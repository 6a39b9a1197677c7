import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../../shared/errors.ts'
import {
  isRetriedStatus,
  parseRetryAfter,
  retryDelayMs,
  retryPolicy,
  type Try,
  withRetries,
} from '../../../shared/partner-center/retry.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { createOperation } from '../../support/operations.ts'

const now = Date.UTC(2026, 10, 20)

describe('the wait before a retry', () => {
  test('the wait without Retry-After is between 0 and a bound that doubles up to a cap', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (tries, random) => {
          const bound = Math.min(20_000, 500 * 2 ** (tries - 1))
          const wait = retryDelayMs(tries, undefined, random)
          expect(wait).toBeGreaterThanOrEqual(0)
          expect(wait).toBeLessThan(bound)
          expect(wait).toBeCloseTo(bound * random, 6)
        },
      ),
      { numRuns: 2000 },
    )
  })

  test.each([
    [1, 0.5, 250],
    [2, 0.5, 500],
    [3, 0.5, 1000],
    [6, 0.5, 8000],
    [7, 0.5, 10_000],
    [50, 0.5, 10_000],
  ])('the wait after try %i with the random number %d is %d ms', (tries, random, expected) => {
    expect(retryDelayMs(tries, undefined, random)).toBe(expected)
  })

  test('the wait with Retry-After is exactly that time', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 10 }), fc.double({ min: 0, max: 1, noNaN: true }), (wait, tries, random) => {
        expect(retryDelayMs(tries, wait, random)).toBe(wait)
      }),
    )
  })
})

describe('Retry-After', () => {
  test.each([
    ['0', 0],
    ['1', 1000],
    ['57', 57_000],
    [' 57 ', 57_000],
    ['999999999', 999_999_999_000],
    ['Fri, 20 Nov 2026 00:00:57 GMT', 57_000],
    ['Friday, 20-Nov-26 00:00:57 GMT', 57_000],
    ['Thu, 19 Nov 2026 23:59:59 GMT', 0],
    ['Fri, 20 Nov 2026 01:00:00 GMT', 3_600_000],
  ])('Retry-After: %j means %d ms', (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected)
  })

  test.each([
    '',
    ' ',
    '-1',
    '1.5',
    '1s',
    '0x10',
    '1e3',
    '+5',
    '1 2',
    'soon',
    'Soon, please',
    '2026-11-20T00:00:57Z',
    '20 Nov 2026',
    'Infinity',
  ])('Retry-After: %j means nothing', header => {
    expect(parseRetryAfter(header, now)).toBeUndefined()
  })

  test('a missing Retry-After gives undefined, and no wait is negative', () => {
    expect(parseRetryAfter(undefined, now)).toBeUndefined()
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date(8e12), noInvalidDate: true }), date => {
        expect(parseRetryAfter(date.toUTCString(), now)).toBe(
          Math.min(Math.max(0, Math.floor(date.getTime() / 1000) * 1000 - now), 1e12),
        )
      }),
    )
  })

  test('Retry-After with a weekday but no date gives undefined', () => {
    expect(parseRetryAfter('Monday, 5', now)).toBeUndefined()
  })
})

test('the retried statuses are the documented ones', () => {
  const statuses = Array.from({ length: 500 }, (_, index) => index + 100)
  expect(statuses.filter(isRetriedStatus)).toEqual([408, 429, 500, 502, 503, 504])
})

const failure = (name = 'down') => new AppError('partner_center_unavailable', name)

/** Fails once for each wait in `waits`, then succeeds. */
function failing(waits: (number | undefined)[]) {
  const failures = waits.map((_, index) => failure(`failure ${index + 1}`))
  let tries = 0
  const attempt = async (): Promise<Try<string>> => {
    const thrown = failures[tries]
    const retryAfterMs = waits[tries]
    tries++
    return thrown === undefined ? { value: 'done' } : { failure: thrown, retryAfterMs }
  }
  return { attempt, tries: () => tries, failures }
}

describe('a call', () => {
  test('a call is retried until it succeeds, and each wait is logged', async () => {
    const clock = createFakeClock({ jumps: true })
    const operation = createOperation({ clock })
    const { attempt, tries } = failing([undefined, 1500, 0])

    expect(await withRetries(attempt, 'the orders', operation, clock)).toBe('done')
    expect(tries()).toBe(4)
    expect(clock.slept).toEqual([250, 1500, 0])
    expect(operation.logged).toEqual(
      [250, 1500, 0].map((waitMs, index) => ({
        level: 'warn',
        event: 'retry',
        fields: { what: 'the orders', failedTries: index + 1, waitMs, why: `failure ${index + 1}` },
      })),
    )
  })

  test('a call fails after four tries with the last failure', async () => {
    const clock = createFakeClock({ jumps: true })
    const { attempt, tries, failures } = failing([0, 0, 0, 0, 0])

    await expect(withRetries(attempt, 'x', createOperation({ clock }), clock)).rejects.toBe(failures[3])
    expect(tries()).toBe(retryPolicy.tries)
    expect(tries()).toBe(4)
  })

  test('a call is not retried after an exception', async () => {
    const clock = createFakeClock({ jumps: true })
    const thrown = new Error('a bug')
    let tries = 0
    const attempt = async () => {
      tries++
      throw thrown
    }
    await expect(withRetries(attempt, 'x', createOperation({ clock }), clock)).rejects.toBe(thrown)
    expect(tries).toBe(1)
  })

  test('a call neither waits past its deadline nor retries after it', async () => {
    const waits = fc.array(fc.option(fc.nat({ max: 120_000 }), { nil: undefined }), { minLength: 1, maxLength: 5 })
    const chances = fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), {
      minLength: 5,
      maxLength: 5,
    })
    await fc.assert(
      fc.asyncProperty(waits, chances, fc.integer({ min: 0, max: 130 }), async (waits, chances, seconds) => {
        const clock = createFakeClock({ jumps: true })
        let drawn = 0
        clock.setRandom(() => chances[drawn++ % chances.length] ?? 0)
        const operation = createOperation({ clock, seconds })
        const { attempt, tries, failures } = failing(waits)

        const result = await withRetries(attempt, 'x', operation, clock).catch((error: unknown) => error)
        expect(clock.now() < operation.deadline.at || clock.slept.length === 0).toBe(true)
        expect(clock.slept).toHaveLength(tries() - 1)
        if (result === 'done') expect(tries()).toBe(waits.length + 1)
        else {
          expect(result).toBe(failures[tries() - 1])
          const wait = retryDelayMs(tries(), waits[tries() - 1], chances[(tries() - 1) % chances.length] ?? 0)
          expect(tries() === 4 || clock.now() + wait >= operation.deadline.at).toBe(true)
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('a call fails at once if its wait ends exactly at the deadline, and not a millisecond earlier', async () => {
    const clock = createFakeClock({ jumps: true })
    const atOnce = failing([10_000])
    const inTime = failing([9_999])

    await expect(withRetries(atOnce.attempt, 'x', createOperation({ clock, seconds: 10 }), clock)).rejects.toBe(
      atOnce.failures[0],
    )
    expect(clock.slept).toEqual([])
    expect(await withRetries(inTime.attempt, 'x', createOperation({ clock, seconds: 10 }), clock)).toBe('done')
  })

  test('a call that is aborted while it waits ends at once with the reason', async () => {
    const clock = createFakeClock()
    const operation = createOperation({ clock })
    const { attempt, tries } = failing([5000])
    const result = withRetries(attempt, 'x', operation, clock)
    await clock.advance(1000)
    operation.abort(new Error('the caller has gone'))

    await expect(result).rejects.toThrow('the caller has gone')
    expect(tries()).toBe(1)
  })
})

test('a failure for lack of time can differ from the failure after all tries', async () => {
  const clock = createFakeClock({ jumps: true })
  const outOfTime = failure('out of time')
  const attempt = async () => ({ failure: failure('silent'), outOfTime, retryAfterMs: 2000 })
  const ended = (seconds: number) => withRetries(attempt, 'x', createOperation({ clock, seconds }), clock)
  await expect(ended(5)).rejects.toThrow('out of time')
  await expect(ended(500)).rejects.toThrow('silent')
})
