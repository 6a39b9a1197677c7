import type { Call } from '../call.ts'
import { AppError } from '../errors.ts'
import { type OrderBytes, readOrder } from '../partner-center/collection.ts'
import { type FindRuns, newestIdAt } from './find-runs.ts'
import { planBlob } from './layout.ts'
import { corrupt, lastRead, type SnapshotReader } from './reader.ts'

export type SnapshotOrders = {
  orders: OrderBytes[]
  snapshotId: string
  /** Milliseconds since 1970 UTC: the start of the run they were read in. */
  asOf: number
}

/** The orders of a customer as the newest finished run at or before an instant holds them; the newest of all without one. */
export type ReadBack = (customerTenantId: string, atMost: number | undefined, call: Call) => Promise<SnapshotOrders>

/**
 * Answers from snapshots. A run in which the customer is absent or failed is passed over for the next older one; a
 * failed entry says which that is.
 */
export function createReadBack(runs: FindRuns, reader: SnapshotReader): ReadBack {
  return async (customerTenantId, atMost, call) => {
    for await (const snapshotId of runs.ids(atMost === undefined ? {} : { atMost: newestIdAt(atMost) })) {
      call.deadline.signal.throwIfAborted()
      const run = await runs.finished(snapshotId)
      if (run === undefined || run.status === 'failed') continue
      if (atMost !== undefined && Date.parse(run.startedAt) > atMost) continue
      if ((await reader.readPlan(snapshotId)) === undefined) throw corrupt(planBlob(snapshotId))
      const read = await lastRead(reader, await reader.find(snapshotId, customerTenantId))
      const source = read?.snapshotId === snapshotId ? run : read && (await runs.finished(read.snapshotId))
      if (read === undefined || source === undefined || source.status === 'failed') continue
      const orders = await reader.readOrders(read.snapshotId, read.part, read.entry)
      return { orders: orders.map(readOrder), snapshotId: read.snapshotId, asOf: Date.parse(source.startedAt) }
    }
    throw new AppError(
      'snapshot_not_found',
      atMost === undefined
        ? 'No finished snapshot holds this customer. Take one with start-snapshot.'
        : 'No finished snapshot of that time or before holds this customer. list-snapshots shows which there are.',
    )
  }
}
