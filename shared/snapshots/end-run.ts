import type { Call } from '../call.ts'
import type { FinishRun } from './finish-run.ts'
import { listParts } from './finish-run.ts'
import { createLimit, inOrder } from './in-order.ts'
import { partNumber } from './layout.ts'
import type { EndReason } from './part-writer.ts'
import { isCorrupt, type SnapshotReader } from './reader.ts'
import type { Current } from './shapes.ts'
import type { Store } from './store.ts'
import type { TakePart } from './take-part.ts'

type Options = {
  store: Store
  reader: SnapshotReader
  finishRun: FinishRun
  giveUp: TakePart['giveUp']
  readCurrent: () => Promise<Current | undefined>
}

/** Parts that are ended at a time. */
const concurrency = 16

/**
 * Ends a run that cannot go on: every part that is not decided yet is decided as failed, by the same commit that a
 * worker would make, so that late workers lose. Then the run is finished like any other.
 */
export function createEndRun({ store, reader, finishRun, giveUp, readCurrent }: Options) {
  async function failWithoutParts(snapshotId: string, reason: EndReason, call: Call): Promise<void> {
    const current = await readCurrent()
    if (current?.snapshotId === snapshotId) await finishRun.fail(current, reason, call)
  }

  return async (snapshotId: string, reason: EndReason, call: Call): Promise<void> => {
    call.log('error', 'snapshot_stopped', { snapshotId, ...reason })
    try {
      const plan = await reader.readPlan(snapshotId)
      if (plan === undefined) return await failWithoutParts(snapshotId, reason, call)
      const decided = new Set((await listParts(store, snapshotId)).map(({ name }) => partNumber(name)))
      const open = plan.parts.flatMap((_, part) => (decided.has(part) ? [] : [part]))
      const limit = createLimit(concurrency)
      for await (const _ of inOrder(open, concurrency, part =>
        limit(() => giveUp({ snapshotId, part }, reason, true, call)),
      ));
      await finishRun.finish(snapshotId, call)
    } catch (error) {
      if (!isCorrupt(error)) throw error
      // A plan or index that cannot be read must not keep the run, and with it the next one, from ending.
      await failWithoutParts(snapshotId, reason, call)
    }
  }
}
