import type { Clock } from '../../shared/runtime/clock.ts'

export type FakeClock = Clock & {
  /** The milliseconds of every sleep, in order. */
  slept: number[]
  /** Advances time and wakes the sleepers, earliest first. */
  advance: (ms: number) => Promise<void>
  /** Advances time from sleeper to sleeper until `work` has ended. */
  drive: <T>(work: Promise<T>) => Promise<T>
  /** Sets what `random` returns from now on. */
  setRandom: (next: () => number) => void
}

type Sleeper = { at: number; wake: () => void }

/** Lets every promise that can settle do so. */
const settle = () => new Promise<void>(resolve => setImmediate(resolve))

/**
 * Time that advances only on request or, with `jumps`, as soon as a sleep starts: the sleep takes its full length on
 * this clock, and no real time.
 */
export function createFakeClock({ now: start = Date.UTC(2026, 10, 20), jumps = false } = {}): FakeClock {
  let now = start
  let random = () => 0.5
  let sleepers: Sleeper[] = []
  const slept: number[] = []

  const clock: FakeClock = {
    slept,
    now: () => now,
    random: () => random(),
    setRandom(next) {
      random = next
    },
    after(ms, action) {
      const sleeper: Sleeper = { at: now + ms, wake: action }
      sleepers.push(sleeper)
      return () => {
        sleepers = sleepers.filter(other => other !== sleeper)
      }
    },
    sleep(ms, signal) {
      slept.push(ms)
      if (signal?.aborted) return Promise.reject(signal.reason)
      return new Promise((resolve, reject) => {
        const sleeper: Sleeper = { at: now + ms, wake: resolve }
        sleepers.push(sleeper)
        signal?.addEventListener('abort', () => {
          sleepers = sleepers.filter(other => other !== sleeper)
          reject(signal.reason)
        })
        if (jumps) setImmediate(() => clock.advance(Math.max(0, sleeper.at - now)))
      })
    },
    async drive(work) {
      let ended = false
      const end = () => {
        ended = true
      }
      work.then(end, end)
      while (!ended) {
        await settle()
        const at = Math.min(...sleepers.map(sleeper => sleeper.at))
        if (Number.isFinite(at)) await clock.advance(Math.max(0, at - now))
      }
      return work
    },
    async advance(ms) {
      const until = now + ms
      await settle()
      for (;;) {
        const next = sleepers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
        if (next === undefined) break
        sleepers = sleepers.filter(other => other !== next)
        now = Math.max(now, next.at)
        next.wake()
        await settle()
      }
      now = until
      await settle()
    },
  }
  return clock
}
