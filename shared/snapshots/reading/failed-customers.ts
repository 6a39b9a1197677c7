import { AppError } from '../../errors.ts'
import { readLatest } from '../storage/current-run.ts'
import { dataBlob } from '../storage/part-blobs.ts'
import { readPartMetadata } from '../storage/part-metadata.ts'
import type { SnapshotReader } from '../storage/reader.ts'
import { isFailed, type PlannedCustomer } from '../storage/shapes.ts'
import { corrupt } from '../storage/storage-errors.ts'
import type { Store } from '../storage/store.ts'

/** The customers that failed in the newest snapshot of all customers. */
export type FailedCustomers = () => Promise<PlannedCustomer[]>

/** The most customers. If more failed, a new snapshot is faster. */
const mostCustomers = 5000

export const createFailedCustomers =
  (store: Store, reader: SnapshotReader): FailedCustomers =>
  async () => {
    const { latest } = await readLatest(store)
    if (latest === undefined) {
      throw new AppError('snapshot_not_found', 'There is no finished snapshot yet. Take one with start-snapshot.')
    }
    const plan = await reader.readPlan(latest)
    if (plan === undefined) throw corrupt(latest.path)
    const failed: PlannedCustomer[] = []
    let part = 0
    for await (const { metadata } of store.list(dataBlob.prefixOf(plan))) {
      if (readPartMetadata(metadata).failed > 0) {
        for (const entry of (await reader.readIndex(plan, part)).customers) {
          if (isFailed(entry)) failed.push([entry.customerTenantId, entry.customerName])
        }
      }
      part++
    }
    if (failed.length > 0 && failed.length <= mostCustomers) return failed
    const why = failed.length === 0 ? 'No customer has failed in' : `More than ${mostCustomers} customers failed in`
    throw new AppError(
      'invalid_request',
      `${why} the newest snapshot, ${latest.snapshotId}. ${failed.length === 0 ? 'There is nothing to read again.' : 'Take a new one.'}`,
      { target: 'failedOf' },
    )
  }
