import type { Call } from '../../call.ts'
import type { Clock } from '../../clock.ts'
import { isAppError } from '../../errors.ts'
import type { CurrentRun } from '../storage/current-run.ts'
import type { StartMessage } from '../storage/messages.ts'
import type { StartRun } from './start.ts'

type Options = { currentRun: CurrentRun; clock: Clock; start: StartRun }

export type TimerStart = {
  /**
   * Starts the timer's run. If another goes on, that one is marked, and whoever ends it sends a message that starts the
   * timer's: the day keeps its snapshot.
   */
  startByTimer: (call: Call) => Promise<void>
  /** Starts the timer's run after the one that it has waited for, unless that or a later one has taken its place. */
  handle: (message: StartMessage, call: Call) => Promise<void>
}

/** Between two tries while storage is down: the platform does not repeat a timer. */
const retrySeconds = 30

export function createTimerStart({ currentRun, clock, start }: Options): TimerStart {
  async function startOrWait(call: Call): Promise<void> {
    for (;;) {
      const { snapshotId, started } = await start('timer', undefined, call)
      if (started) return
      const { current } = await currentRun.read()
      const marked =
        current &&
        (await currentRun.change(current.nonce, ({ ended }) =>
          ended === undefined ? { timerWaits: true } : undefined,
        ))
      if (marked !== undefined && marked.ended === undefined) {
        call.log('warn', 'snapshot_waits', { running: snapshotId })
        return
      }
      // It has ended meanwhile.
      call.deadline.signal.throwIfAborted()
    }
  }

  return {
    async startByTimer(call) {
      for (;;) {
        try {
          return await startOrWait(call)
        } catch (error) {
          if (!isAppError(error) || !error.retryable) throw error
          if (clock.now() + retrySeconds * 1000 >= call.deadline.at) throw error
          call.log('warn', 'start_repeated', { code: error.code })
          await clock.sleep(retrySeconds * 1000, call.deadline.signal)
        }
      }
    },
    async handle({ behind }, call) {
      const { current } = await currentRun.read()
      // A later run over all customers goes on, or has ended: the message was delivered twice.
      const isTaken = current !== undefined && current.snapshotId > behind && current.customers === undefined
      if (!isTaken && (current?.base ?? '') <= behind) await startOrWait(call)
    },
  }
}
