/** Time and randomness. Code that depends on them takes them as a parameter, so that tests can control both. */
export type Clock = {
  /** Milliseconds since 1970 UTC. */
  now: () => number
  /** Runs `action` once after `ms` milliseconds. Returns a function that cancels it. */
  after: (ms: number, action: () => void) => () => void
  /** Resolves after `ms` milliseconds. Rejects with the signal's reason as soon as the signal aborts. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  /** A number in [0, 1). */
  random: () => number
}

/** The longest delay of a Node timer. A timer with a longer delay fires at once. */
const maxTimerMs = 2 ** 31 - 1

function after(ms: number, action: () => void): () => void {
  const timer = setTimeout(action, Math.min(Math.max(ms, 0), maxTimerMs))
  return () => clearTimeout(timer)
}

export const systemClock: Clock = {
  now: Date.now,
  random: Math.random,
  after,
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const stop = () => {
        cancel()
        reject(signal?.reason)
      }
      const cancel = after(ms, () => {
        signal?.removeEventListener('abort', stop)
        resolve()
      })
      signal?.addEventListener('abort', stop, { once: true })
    }),
}
