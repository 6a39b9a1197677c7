import type { Process } from './process.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

export type Exchange<T> = {
  /** Happens at the far end; returns or throws what the answer brings. */
  effect: () => T
  /** Milliseconds until it arrives, and until its answer does. */
  thereMs?: number
  backMs?: () => number
  /** How much likelier than elsewhere the process dies on the way. */
  weight?: number
  signal?: AbortSignal
}

/** What a process asks of something outside of it. The effect and the answer are two steps: a process can die between. */
export type Exchanges = <T>(process: Process, exchange: Exchange<T>) => Promise<T>

const usualMs = 25

export function createExchanges(scheduler: Scheduler, random: Random): Exchanges {
  const latency = () => random.between(1, usualMs)

  return (process, { effect, thereMs = latency(), backMs = latency, weight = 1, signal }) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      let isOpen = true
      const close = () => {
        isOpen = false
        signal?.removeEventListener('abort', giveUp)
      }
      const giveUp = () => {
        close()
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', giveUp, { once: true })
      // What was on its way when its sender died arrives or does not.
      const arrivesAnyway = random.chance(0.5)
      scheduler.after(thereMs, () => {
        if (!(process.isAlive() && isOpen) && !arrivesAnyway) return
        const answer = outcomeOf(effect)
        const receive = () => {
          if (!isOpen) return
          close()
          if ('value' in answer) resolve(answer.value)
          else reject(answer.error)
        }
        process.after(backMs(), receive, weight)
      })
    })
}

function outcomeOf<T>(effect: () => T): { value: T } | { error: unknown } {
  try {
    return { value: effect() }
  } catch (error) {
    return { error }
  }
}
