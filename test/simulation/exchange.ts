import type { Findings } from './findings.ts'
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

/** More than this many in ten seconds of true time is a loop without an end. */
const mostInTenSeconds = 4000

export function createExchanges(scheduler: Scheduler, random: Random, findings: Findings): Exchanges {
  let counted = 0
  let countedSince = 0

  function isLoop(): boolean {
    if (scheduler.now() - countedSince > 10_000) {
      counted = 0
      countedSince = scheduler.now()
    }
    return ++counted > mostInTenSeconds
  }

  const latency = () => random.between(1, usualMs)

  return (process, { effect, thereMs = latency(), backMs = latency, weight = 1, signal }) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      if (isLoop()) {
        findings.broken('nobody runs in circles', `${process.name} asks ${mostInTenSeconds} times in ten seconds`)
        return process.kill('is stopped')
      }
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
