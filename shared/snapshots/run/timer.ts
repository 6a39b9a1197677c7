import type { Call } from '../../call.ts'
import type { Clock } from '../../clock.ts'
import { isAppError } from '../../errors.ts'
import type { CurrentRun } from '../storage/current-run.ts'
import type { StartMessage } from '../storage/messages.ts'
import type { PartQueue } from '../storage/part-queue.ts'
import type { StartRun } from './start.ts'

type Options = { queue: PartQueue; currentRun: CurrentRun; clock: Clock; start: StartRun }

export type TimerStart = {
  /** Starts the timer's run. If another goes on, a message waits for its end, so that the day keeps its snapshot. */
  startByTimer: (call: Call) => Promise<void>
  handle: (message: StartMessage, call: Call) => Promise<void>
  giveUp: (message: StartMessage, call: Call) => Promise<void>
}

/** Between two tries while storage is down: the platform does not repeat a timer. */
const retrySeconds = 30

/** Between two looks at the run that is in the way. */
const waitSeconds = 120

/** About two days: longer than any run may take. */
const mostTries = 1500

export function createTimerStart({ queue, currentRun, clock, start }: Options): TimerStart {
  /** True if a run over all customers ended without failing, at or after the one that was in the way. */
  async function isDone(behind: string): Promise<boolean> {
    const { current } = await currentRun.read()
    if (current === undefined) return false
    const { snapshotId, customers, ended, base = '' } = current
    const didWell = ended === 'succeeded' || ended === 'completedWithErrors'
    return base >= behind || (didWell && customers === undefined && snapshotId >= behind)
  }

  async function startOrWait(behind: string | undefined, tries: number, call: Call): Promise<void> {
    const { snapshotId, started } = await start('timer', undefined, call)
    if (started) return
    if (tries >= mostTries) return call.log('error', 'snapshot_skipped', { running: snapshotId })
    if (tries === 0) call.log('warn', 'snapshot_waits', { running: snapshotId })
    await queue.send({ kind: 'start', behind: behind ?? snapshotId, tries: tries + 1 }, waitSeconds)
  }

  return {
    async startByTimer(call) {
      for (;;) {
        try {
          return await startOrWait(undefined, 0, call)
        } catch (error) {
          if (!isAppError(error) || !error.retryable) throw error
          if (clock.now() + retrySeconds * 1000 >= call.deadline.at) throw error
          call.log('warn', 'start_repeated', { code: error.code })
          await clock.sleep(retrySeconds * 1000, call.deadline.signal)
        }
      }
    },
    async handle({ behind, tries }, call) {
      if (!(await isDone(behind))) await startOrWait(behind, tries, call)
    },
    async giveUp({ behind, tries }) {
      if (tries < mostTries) await queue.send({ kind: 'start', behind, tries: tries + 1 }, waitSeconds)
    },
  }
}
