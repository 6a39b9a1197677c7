import { AsyncLocalStorage } from 'node:async_hooks'
import { AppError } from '../errors.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

/** The time limit of a piece of work. `withDeadline` creates one and enforces it. */
export type Deadline = {
  /** When the response must be ready, in milliseconds since 1970 UTC. */
  readonly at: number
  /** Aborts when the time is up. It also aborts when the work fails, so that no call continues. */
  readonly signal: AbortSignal
  /** The milliseconds for which a call to another service may stay silent. After that, it is aborted and retried. */
  readonly silenceMs: number
}

/** The context of one operation, passed through every module: correlation id, deadline and logger. */
export type OperationContext = {
  correlationId: string
  deadline: Deadline
  log: Log
}

/** The limits of a new deadline. With `signal`, it also ends when that signal aborts. */
type TimeLimit = { at: number; silenceMs: number; signal?: AbortSignal }

/** The longest silence of a call, even if there is more time. */
const longestSilenceMs = 30_000

/** The share of the time after which a silent call is aborted, so that there is time for a retry. */
const silenceShare = 1 / 3

/** A limit of `seconds` from now, within `parent` if there is one. */
export function timeLimit(clock: Clock, seconds: number, parent?: Deadline): TimeLimit {
  const silenceMs = Math.min(longestSilenceMs, seconds * 1000 * silenceShare, parent?.silenceMs ?? longestSilenceMs)
  const at = Math.min(clock.now() + seconds * 1000, parent?.at ?? Number.POSITIVE_INFINITY)
  return { at, silenceMs, ...(parent === undefined ? {} : { signal: parent.signal }) }
}

export const deadlineExceeded = (seconds: number): AppError =>
  new AppError(
    'deadline_exceeded',
    `The response was not ready within ${Math.max(1, Math.round(seconds))} seconds. Try again. If it happens again, request less data or take a snapshot.`,
    { retryAfterSeconds: 30 },
  )

const current = new AsyncLocalStorage<Deadline>()

/** The deadline of the current work. For HTTP clients that an SDK calls, because an SDK passes no context. */
export const currentDeadline = (): Deadline | undefined => current.getStore()

/**
 * Runs `work` with a deadline. Every time limit in this app is enforced here. The promise settles when the time is up
 * at the latest, even if the work never settles. When the time is up or the work fails, the signal aborts, so that
 * every pending call ends and releases its connection.
 */
export async function withDeadline<T>(
  clock: Clock,
  { at, silenceMs, signal: parent }: TimeLimit,
  work: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  parent?.throwIfAborted()
  const controller = new AbortController()
  const { signal } = controller
  const ms = at - clock.now()
  const cancel = clock.after(ms, () => controller.abort(deadlineExceeded(ms / 1000)))
  const followParent = () => controller.abort(parent?.reason)
  parent?.addEventListener('abort', followParent, { once: true })
  const deadline: Deadline = { at, signal, silenceMs }
  try {
    return await new Promise<T>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      current.run(deadline, work, deadline).then(resolve, reject)
    })
  } catch (error) {
    controller.abort(error)
    throw error
  } finally {
    cancel()
    parent?.removeEventListener('abort', followParent)
  }
}
