import { AppError } from '../../errors.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import type { CurrentRun } from '../storage/current-run.ts'
import { manifestBlob } from '../storage/layout.ts'
import type { PartQueue } from '../storage/part-queue.ts'
import type { Store } from '../storage/store.ts'

/** Cancels a run. Rejects if the run has ended or does not exist. */
export type CancelRun = (snapshotId: string, operation: OperationContext) => Promise<void>

type Options = { store: Store; queue: PartQueue; currentRun: CurrentRun }

const cancelled = {
  code: 'snapshot_cancelled',
  message: 'The snapshot was cancelled. Take a new one with start-snapshot.',
}

/** The cancellation is one write of `current.json`. A worker then ends the run like any other. */
export function createCancelRun({ store, queue, currentRun }: Options): CancelRun {
  return async (snapshotId, operation) => {
    const [{ current }, ofSnapshot] = await Promise.all([currentRun.read(), store.head(manifestBlob({ snapshotId }))])
    const manifest = ofSnapshot ?? (await store.head(manifestBlob({ snapshotId, following: true })))
    const isGoingOn = current?.snapshotId === snapshotId && current.ended === undefined && manifest === undefined
    const run = isGoingOn
      ? await currentRun.change(current.nonce, ({ stop, ended }) =>
          stop === undefined && ended === undefined ? { stop: cancelled } : undefined,
        )
      : undefined
    if (run?.stop?.code === cancelled.code && run.ended === undefined) {
      operation.log('info', 'cancel_requested', { snapshotId })
      const { nonce, round } = run
      await queue.send({ kind: 'watch', snapshotId, nonce, round, committed: 0, early: 0 })
      return
    }
    if (manifest === undefined && current?.snapshotId !== snapshotId) {
      throw new AppError('snapshot_not_found', 'There is no such snapshot. list-snapshots lists the snapshots.')
    }
    throw new AppError('snapshot_ended', 'The snapshot has ended, or is ending for another reason.')
  }
}
