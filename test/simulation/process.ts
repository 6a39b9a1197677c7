import type { Clock } from '../../shared/runtime/clock.ts'
import type { Faults } from './faults.ts'
import type { Random } from './random.ts'
import type { Scheduler, Step } from './scheduler.ts'
import type { Trace } from './trace.ts'

/** One life of a worker. Its memory ends with it. */
export type Process = {
  name: string
  isAlive: () => boolean
  isRunning: () => boolean
  clock: Clock
  /** A step of this process, at which it can die or freeze. `weight` makes that more likely. */
  after: (ms: number, action: () => void, weight?: number) => Step
  /** Nothing that the process was doing continues. */
  kill: (why: string) => void
  onEnd: (listener: () => void) => void
  onThaw: (listener: () => void) => void
}

type Options = {
  name: string
  /** How far its clock is ahead, in milliseconds. */
  skewMs: number
  scheduler: Scheduler
  random: Random
  faults: Faults
  trace: Trace
}

const longestFreezeMinutes = 25

export function createProcess({ name, skewMs, scheduler, random, faults, trace }: Options): Process {
  let alive = true
  let frozenUntil = 0
  const endListeners: (() => void)[] = []
  const thawListeners: (() => void)[] = []

  function freeze(): void {
    const minutes = random.spread(0.5, longestFreezeMinutes)
    frozenUntil = scheduler.now() + minutes * 60_000
    trace.say(name, () => `*** freezes for ${minutes.toFixed(1)} minutes`)
    scheduler.after(minutes * 60_000, () => {
      if (!alive) return
      trace.say(name, () => '*** continues')
      for (const listener of thawListeners) listener()
    })
  }

  function take(action: () => void, weight: number): void {
    if (!alive) return
    const waitMs = frozenUntil - scheduler.now()
    if (waitMs > 0) {
      scheduler.after(waitMs + random.between(0, 50), () => take(action, weight))
      return
    }
    if (weight > 0 && faults.strikes('process dies', weight)) {
      process.kill('dies')
      return
    }
    if (weight > 0 && faults.strikes('process freezes', weight)) {
      freeze()
      take(action, 0)
      return
    }
    action()
  }

  const process: Process = {
    name,
    isAlive: () => alive,
    isRunning: () => alive && frozenUntil <= scheduler.now(),
    clock: {
      now: () => scheduler.now() + skewMs,
      random: random.next,
      after: (ms, action) => process.after(ms, action).cancel,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          if (signal?.aborted) return reject(signal.reason)
          const stop = () => {
            step.cancel()
            reject(signal?.reason)
          }
          const wake = () => {
            signal?.removeEventListener('abort', stop)
            resolve()
          }
          const step = process.after(ms, wake)
          signal?.addEventListener('abort', stop, { once: true })
        }),
    },
    after(ms, action, weight = 1) {
      return scheduler.after(ms, () => take(action, weight))
    },
    kill(why) {
      if (!alive) return
      alive = false
      trace.say(name, () => `*** ${why}`)
      for (const listener of endListeners) listener()
    },
    onEnd: listener => endListeners.push(listener),
    onThaw: listener => thawListeners.push(listener),
  }
  return process
}
