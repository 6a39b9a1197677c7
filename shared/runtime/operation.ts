import { AsyncLocalStorage } from 'node:async_hooks'
import { AppError } from '../errors.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

/** How long a piece of work may take. `withDeadline` makes one and enforces it. */
export type Deadline = {
  /** When the response has to be there, in milliseconds since 1970 UTC. */
  readonly at: number
  /** Aborts when the time is up, and also when the work has failed, so that nothing under it goes on. */
  readonly signal: AbortSignal
  /** Milliseconds that one call to another service may stay silent before it is given up and repeated. */
  readonly silenceMs: number
}

/** The context of one operation, passed through every module: its id in the logs, its deadline, its log. */
export type OperationContext = {
  correlationId: string
  deadline: Deadline
  log: Log
}

/** What a new deadline is bound by. With `signal` it also ends when that aborts. */
export type TimeLimit = { at: number; silenceMs: number; signal?: AbortSignal }

/** No call stays silent for longer than this, however much time there is. */
const longestSilenceMs = 30_000

/** The share of the time after which a silent call is given up, so that time for another try is left. */
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
    `The response was not ready within ${Math.max(1, Math.round(seconds))} seconds. Try again; if it happens again, ask for less or take a snapshot.`,
    { retryAfterSeconds: 30 },
  )

const current = new AsyncLocalStorage<Deadline>()

/** The deadline of the work that is running. For clients that an SDK calls, which pass no context along. */
export const currentDeadline = (): Deadline | undefined => current.getStore()

/**
 * Runs `work` under a deadline: the one place that says how long anything may take. Settles at the latest when the time
 * is up, whatever the work does. When the time is up or the work fails, the deadline's signal aborts, and every call
 * to another service that is still under way for it ends and frees its connection.
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
