import type { Clock } from './clock.ts'
import { AppError } from './errors.ts'
import type { Log } from './log.ts'

/** The instant by which an answer must be there, and the signal that fires at it. */
export type Deadline = {
  /** Milliseconds since 1970 UTC. A getter where several callers share one call: the latest of theirs. */
  readonly at: number
  readonly signal: AbortSignal
}

/** What accompanies one piece of work through every module: its name in the logs, its end, its log. */
export type Call = {
  correlationId: string
  deadline: Deadline
  log: Log
}

export const deadlineExceeded = (seconds: number): AppError =>
  new AppError(
    'deadline_exceeded',
    `The answer was not ready within ${seconds} seconds. Try again; if it happens again, ask for less or take a snapshot.`,
    { retryAfterSeconds: 30 },
  )

/** Starts a deadline `seconds` from now. Call `end` when the work is done, or its timer holds the process. */
export function startDeadline(clock: Clock, seconds: number): Deadline & { end: () => void } {
  const controller = new AbortController()
  const done = new AbortController()
  clock.sleep(seconds * 1000, done.signal).then(
    () => controller.abort(deadlineExceeded(seconds)),
    () => undefined,
  )
  return { at: clock.now() + seconds * 1000, signal: controller.signal, end: () => done.abort() }
}
