import type { Snapshots } from '../../shared/snapshots/snapshots.ts'
import type { Faults } from './faults.ts'
import type { Features } from './features.ts'
import { createProcess, type Process } from './process.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import type { Trace } from './trace.ts'

/** A machine that runs the app. After a death, a new one with the same clock and no memory replaces it. */
export type Worker = { process: Process; snapshots: Snapshots; busy: number }

type Options = {
  features: Features
  scheduler: Scheduler
  random: Random
  faults: Faults
  trace: Trace
  boot: (process: Process) => Snapshots
}

const longestRestartMs = 3 * 60_000

export function createWorkers({ features, scheduler, random, faults, trace, boot }: Options) {
  const all: Worker[] = []
  const readyListeners: (() => void)[] = []
  const thawListeners: (() => void)[] = []
  let deaths = 0

  function begin(number: number, life: number, skewMs: number): Worker {
    const process = createProcess({ name: `w${number}.${life}`, skewMs, scheduler, random, faults, trace })
    process.onThaw(() => {
      for (const listener of [...thawListeners, ...readyListeners]) listener()
    })
    process.onEnd(() => {
      deaths++
      scheduler.after(random.spread(1000, longestRestartMs), () => {
        all[number] = begin(number, life + 1, skewMs)
        trace.say(`w${number}.${life + 1}`, () => 'starts')
        for (const listener of readyListeners) listener()
      })
    })
    return { process, snapshots: boot(process), busy: 0 }
  }

  for (let number = 0; number < features.workers; number++) all.push(begin(number, 1, features.skewMs()))

  return {
    all: all as readonly Worker[],
    deaths: () => deaths,
    /** Called when a worker can take messages again. */
    onReady: (listener: () => void) => readyListeners.push(listener),
    onThaw: (listener: () => void) => thawListeners.push(listener),
  }
}
