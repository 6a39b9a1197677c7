import { isAppError } from '../../shared/errors.ts'
import type { OperationContext } from '../../shared/runtime/operation.ts'
import type { Snapshots } from '../../shared/snapshots/snapshots.ts'
import type { Findings } from './findings.ts'
import { createSimulatedOperation, type Logged } from './operation.ts'
import type { Random } from './random.ts'
import type { Trace } from './trace.ts'
import type { Worker } from './workers.ts'

/** 'lost': the worker died, or there was none. */
export type Outcome<T> = { value: T } | { error: Error } | 'lost'

export type Ask = <T>(
  what: string,
  work: (snapshots: Snapshots, operation: OperationContext) => Promise<T>,
  done: (outcome: Outcome<T>) => void,
  seconds?: number,
) => void

type Options = { workers: readonly Worker[]; random: Random; trace: Trace; findings: Findings; logged: Logged }

const deadlineSeconds = 100

/** A caller of the app, on any worker. */
export function createAsk({ workers, random, trace, findings, logged }: Options): Ask {
  return (what, work, done, seconds = deadlineSeconds) => {
    const running = workers.filter(({ process }) => process.isRunning())
    if (running.length === 0) return done('lost')
    const { process, snapshots } = random.pick(running)
    trace.say(process.name, () => `> ${what}`)
    const { operation, end } = createSimulatedOperation(process, seconds, logged)
    let isOpen = true
    process.onEnd(() => {
      if (isOpen) done('lost')
      isOpen = false
    })
    work(snapshots, operation).then(
      value => {
        if (!isOpen) return
        isOpen = false
        end()
        trace.say(process.name, () => `< ${what}`)
        done({ value })
      },
      error => {
        if (!isOpen) return
        isOpen = false
        end()
        trace.say(process.name, () => `< ${what}: ${String(error)}`)
        // Any other error is a bug, because failures have a code.
        if (!isAppError(error)) findings.broken('failures have a code', `${what}: ${String(error)}`)
        done({ error: error instanceof Error ? error : new Error(String(error)) })
      },
    )
  }
}
