import type { Call, Deadline } from './call.ts'

/** Runs `start` for the first caller of a key; callers that come while it runs get the same result. */
export type ShareCall = <T>(key: string, call: Call, start: (call: Call) => Promise<T>) => Promise<T>

type Flight = { promise: Promise<unknown>; callers: Set<Call>; giveUp: AbortController }

/**
 * Equal reads at the same time become one call. Each caller keeps its own deadline and leaves when it passes;
 * the shared call goes on until the last one has left.
 */
export function createShareCall(): ShareCall {
  const flights = new Map<string, Flight>()

  function takeOff<T>(key: string, call: Call, start: (call: Call) => Promise<T>): Flight {
    const callers = new Set([call])
    const giveUp = new AbortController()
    const deadline: Deadline = {
      get at() {
        return Math.max(...Array.from(callers, caller => caller.deadline.at))
      },
      signal: giveUp.signal,
    }
    const joint: Call = {
      correlationId: call.correlationId,
      deadline,
      log: (level, event, fields) => callers.values().next().value?.log(level, event, fields),
    }
    const flight: Flight = { promise: start(joint), callers, giveUp }
    flights.set(key, flight)
    const land = () => {
      if (flights.get(key) === flight) flights.delete(key)
    }
    flight.promise.then(land, land)
    return flight
  }

  return <T>(key: string, call: Call, start: (call: Call) => Promise<T>): Promise<T> => {
    const { signal } = call.deadline
    if (signal.aborted) return Promise.reject(signal.reason)
    const flight = flights.get(key) ?? takeOff(key, call, start)
    flight.callers.add(call)
    return new Promise<T>((resolve, reject) => {
      const leave = () => {
        flight.callers.delete(call)
        if (flight.callers.size === 0) {
          flights.delete(key)
          flight.giveUp.abort(signal.reason)
        }
        reject(signal.reason)
      }
      const stay = () => {
        signal.removeEventListener('abort', leave)
        flight.callers.delete(call)
      }
      signal.addEventListener('abort', leave, { once: true })
      flight.promise.then(
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
