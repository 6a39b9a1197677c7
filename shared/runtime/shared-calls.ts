import type { Clock } from './clock.ts'
import { type OperationContext, withDeadline } from './operation.ts'

/** Runs `start` for the first caller of a key; callers that come while it runs get the same result. */
export type ShareCall = <T>(
  key: string,
  operation: OperationContext,
  start: (operation: OperationContext) => Promise<T>,
) => Promise<T>

type SharedCall = {
  promise: Promise<unknown>
  /** The first caller's deadline, in milliseconds since 1970 UTC. Whoever comes later starts a call of their own. */
  at: number
  callers: Set<OperationContext>
  abandon: (reason: unknown) => void
}

/**
 * Equal reads at the same time become one call. It has the time that its first caller had, so that one lost response
 * never fails more callers than those who came within that time. Each caller also keeps its own deadline and leaves
 * when that passes; the call is aborted when the last one has left.
 */
export function createShareCall(clock: Clock): ShareCall {
  const calls = new Map<string, SharedCall>()

  function begin<T>(
    key: string,
    first: OperationContext,
    start: (operation: OperationContext) => Promise<T>,
  ): SharedCall {
    const { at, silenceMs } = first.deadline
    const callers = new Set<OperationContext>()
    const abandoned = new AbortController()
    const promise = withDeadline(clock, { at, silenceMs, signal: abandoned.signal }, deadline =>
      start({
        correlationId: first.correlationId,
        deadline,
        log: (level, event, fields) => callers.values().next().value?.log(level, event, fields),
      }),
    )
    const shared: SharedCall = { promise, at, callers, abandon: reason => abandoned.abort(reason) }
    calls.set(key, shared)
    const end = () => {
      if (calls.get(key) === shared) calls.delete(key)
    }
    promise.then(end, end)
    return shared
  }

  return async <T>(
    key: string,
    operation: OperationContext,
    start: (operation: OperationContext) => Promise<T>,
  ): Promise<T> => {
    const { signal } = operation.deadline
    signal.throwIfAborted()
    const running = calls.get(key)
    const shared = running !== undefined && clock.now() < running.at ? running : begin(key, operation, start)
    shared.callers.add(operation)
    return new Promise<T>((resolve, reject) => {
      const leave = () => {
        shared.callers.delete(operation)
        reject(signal.reason)
        if (shared.callers.size > 0) return
        if (calls.get(key) === shared) calls.delete(key)
        shared.abandon(signal.reason)
      }
      const stay = () => {
        signal.removeEventListener('abort', leave)
        shared.callers.delete(operation)
      }
      signal.addEventListener('abort', leave, { once: true })
      shared.promise.then(
        result => {
          stay()
          resolve(result as T)
        },
        error => {
          stay()
          reject(error)
        },
      )
    })
  }
}
