import type { Clock } from './clock.ts'
import { type OperationContext, withDeadline } from './operation.ts'

/** Calls `start` for the first caller of a key. Callers that come while it runs get the same result. */
export type ShareCall = <T>(
  key: string,
  operation: OperationContext,
  start: (operation: OperationContext) => Promise<T>,
) => Promise<T>

type SharedCall = {
  promise: Promise<unknown>
  /** The deadline of the first caller, in milliseconds since 1970 UTC. A later caller starts a new call. */
  at: number
  callers: Set<OperationContext>
  abandon: (reason: unknown) => void
}

/**
 * Combines equal calls that run at the same time. A shared call goes through these states:
 *
 * | Event | What happens |
 * |---|---|
 * | no call for the key, or its time has passed | the caller starts a call with its own deadline |
 * | a call runs | the caller joins it and keeps its own deadline |
 * | the call settles | every caller gets the result, and the key is free |
 * | a caller's deadline passes | this caller leaves with its own error, and the others keep waiting |
 * | the last caller leaves | the call is aborted, and the key is free |
 *
 * A shared call never gets more time than its first caller had. One lost response can therefore fail only the callers
 * that came within that time.
 */
export function createShareCall(clock: Clock): ShareCall {
  const calls = new Map<string, SharedCall>()

  function startCall<T>(
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
    const shared = running !== undefined && clock.now() < running.at ? running : startCall(key, operation, start)
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
