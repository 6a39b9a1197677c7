import type { AppError } from '../errors.ts'
import type { Clock } from '../runtime/clock.ts'
import type { OperationContext } from '../runtime/operation.ts'

/**
 * The retry policy. Partner Center asks callers to wait as long as `Retry-After` says, and otherwise to increase the
 * wait (learn.microsoft.com/partner-center/developer/api-throttling-guidance). Without the header, full jitter spreads
 * callers.
 */
export const retryPolicy = Object.freeze({
  tries: 4,
  statuses: Object.freeze([408, 429, 500, 502, 503, 504]),
  baseMs: 500,
  capMs: 20_000,
})

export const isRetriedStatus = (status: number): boolean => retryPolicy.statuses.includes(status)

/** Milliseconds to wait before the next try. `failedTries` counts from 1, `random` is in [0, 1). */
export function retryDelayMs(failedTries: number, retryAfterMs: number | undefined, random: number): number {
  if (retryAfterMs !== undefined) return retryAfterMs
  return random * Math.min(retryPolicy.capMs, retryPolicy.baseMs * 2 ** (failedTries - 1))
}

const httpDate = /^[A-Z][a-z]{2,8}, \d{2}[ -][A-Z][a-z]{2}[ -]\d{2,4} \d{2}:\d{2}:\d{2} GMT$/

/** Longer waits count as this one, which is about thirty years. */
const mostSeconds = 1e9

/** Milliseconds from a `Retry-After` header: whole seconds or an HTTP date (RFC 9110, 10.2.3); undefined when it is neither. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? ''
  if (/^\d+$/.test(text)) return Math.min(Number(text), mostSeconds) * 1000
  if (!httpDate.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.min(Math.max(0, at - now), mostSeconds * 1000)
}

/** The outcome of one try: a value, or a failure that a retry may clear. Other failures are thrown. */
export type Try<T> =
  | { value: T }
  | {
      failure: AppError
      retryAfterMs?: number | undefined
      /** The failure to report instead if there is no time for another try. */
      outOfTime?: AppError
    }

/** Repeats `attempt` according to the policy, but not past the deadline. A wait that does not fit ends it at once. */
export async function withRetries<T>(
  attempt: () => Promise<Try<T>>,
  what: string,
  operation: OperationContext,
  clock: Clock,
): Promise<T> {
  for (let failedTries = 1; ; failedTries++) {
    const outcome = await attempt()
    if ('value' in outcome) return outcome.value
    const waitMs = retryDelayMs(failedTries, outcome.retryAfterMs, clock.random())
    if (failedTries >= retryPolicy.tries) throw outcome.failure
    if (clock.now() + waitMs >= operation.deadline.at) throw outcome.outOfTime ?? outcome.failure
    operation.log('warn', 'retry', { what, failedTries, waitMs: Math.round(waitMs), why: outcome.failure.message })
    await clock.sleep(waitMs, operation.deadline.signal)
  }
}
