/** Time and chance, passed to whatever depends on them so that tests can script both. */
export type Clock = {
  /** Milliseconds since 1970 UTC. */
  now: () => number
  /** Resolves after `ms` milliseconds; rejects with the signal's reason as soon as the signal aborts. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  /** A number in [0, 1). */
  random: () => number
}

/** The longest delay a Node timer can hold; a larger one would fire at once. */
const maxTimerMs = 2 ** 31 - 1

export const systemClock: Clock = {
  now: Date.now,
  random: Math.random,
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const stop = () => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      const timer = setTimeout(
        () => {
          signal?.removeEventListener('abort', stop)
          resolve()
        },
        Math.min(Math.max(ms, 0), maxTimerMs),
      )
      signal?.addEventListener('abort', stop, { once: true })
    }),
}
