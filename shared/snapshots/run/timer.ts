import { isAppError } from '../../errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import type { CurrentRun } from '../storage/current-run.ts'
import type { StartMessage } from '../storage/messages.ts'
import type { StartRun } from './start.ts'

type Options = { currentRun: CurrentRun; clock: Clock; start: StartRun }

export type TimerStart = {
  /**
   * Starts the timer's run. If another run is in progress, that run is marked. Its end then sends a message that starts
   * the timer's run, so that the day has its snapshot.
   */
  startByTimer: (operation: OperationContext) => Promise<void>
  /** Starts the timer's run after the run that it waited for, unless that or a later run replaces it. */
  handle: (message: StartMessage, operation: OperationContext) => Promise<void>
}

/** The time between tries while storage is down. The platform does not retry a timer. */
const retrySeconds = 30

export function createTimerStart({ currentRun, clock, start }: Options): TimerStart {
  async function startOrWait(operation: OperationContext): Promise<void> {
    for (;;) {
      const { snapshotId, started } = await start('timer', undefined, operation)
      if (started) return
      const { current } = await currentRun.read()
      const marked =
        current &&
        (await currentRun.change(current.nonce, ({ ended }) =>
          ended === undefined ? { timerWaits: true } : undefined,
        ))
      if (marked !== undefined && marked.ended === undefined) {
        operation.log('warn', 'snapshot_waits', { running: snapshotId })
        return
      }
      // The run has ended meanwhile.
      operation.deadline.signal.throwIfAborted()
    }
  }

  return {
    async startByTimer(operation) {
      for (;;) {
        try {
          return await startOrWait(operation)
        } catch (error) {
          if (!isAppError(error) || !error.retryable) throw error
          if (clock.now() + retrySeconds * 1000 >= operation.deadline.at) throw error
          operation.log('warn', 'start_repeated', { code: error.code })
          await clock.sleep(retrySeconds * 1000, operation.deadline.signal)
        }
      }
    },
    async handle({ behind }, operation) {
      const { current } = await currentRun.read()
      // A later run over all customers has started or ended. The message was delivered twice.
      const isTaken = current !== undefined && current.snapshotId > behind && current.customers === undefined
      if (!isTaken && (current?.base ?? '') <= behind) await startOrWait(operation)
    },
  }
}
