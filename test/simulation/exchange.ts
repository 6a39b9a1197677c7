import type { Findings } from './findings.ts'
import type { Process } from './process.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

export type Exchange<T> = {
  /** Runs at the other side. Returns or throws the response. */
  effect: () => T
  /** Milliseconds until the request arrives, and until its response arrives. */
  thereMs?: number
  backMs?: () => number
  /** How much more likely than elsewhere the process dies meanwhile. */
  weight?: number
  signal?: AbortSignal
}

/**
 * A call to something outside of a process. Effect and response are two steps, because a process can die between them.
 */
export type Exchanges = <T>(process: Process, exchange: Exchange<T>) => Promise<T>

const usualMs = 25

/** More calls in ten seconds of true time are an endless loop. */
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
        findings.broken('nothing loops', `${process.name} asks ${mostInTenSeconds} times in ten seconds`)
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
      // A request whose sender died may or may not arrive.
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
