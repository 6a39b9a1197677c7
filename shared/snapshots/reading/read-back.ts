import { AppError } from '../../errors.ts'
import { type OrderBytes, readOrder } from '../../partner-center/collection.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import type { FindRuns } from '../storage/find-runs.ts'
import { followingFolder, idToInstant, planBlob, runOfBlob, toSnapshotId } from '../storage/layout.ts'
import type { Plan } from '../storage/plan-blob.ts'
import type { CustomerReading, SnapshotReader } from '../storage/reader.ts'
import { isRead } from '../storage/shapes.ts'
import { corrupt, isUnreadable } from '../storage/storage-errors.ts'

export type SnapshotOrders = {
  orders: OrderBytes[]
  customerName: string
  snapshotId: string
  /** Milliseconds since 1970 UTC: the start of the run that read them. */
  asOf: number
}

/** The orders of a customer from the newest finished run at or before a time, or from the newest run of all. */
export type ReadBack = (
  customerTenantId: string,
  atMost: number | undefined,
  operation: OperationContext,
) => Promise<SnapshotOrders>

/** The result for one run: a reading, no reading in any run, or the run to look in next. */
type Lookup = { reading: CustomerReading } | { none: true } | { continueIn: string | undefined }

/**
 * Reads from snapshots. The plan of a run over all customers names the run that last read each known customer, so one
 * run is enough. A run over some customers, or a failed run, names the run before it.
 */
export function createReadBack(runs: FindRuns, reader: SnapshotReader): ReadBack {
  /** The newest finished run at or before a time. */
  async function newestAt(atMost: number | undefined) {
    for await (const place of runs.places(atMost === undefined ? undefined : toSnapshotId(atMost))) {
      const run = await runs.finished(place.snapshotId)
      if (run === undefined || (atMost !== undefined && Date.parse(run.startedAt) > atMost)) continue
      if (run.status !== 'failed') return run.snapshotId
      // Failed runs of earlier versions do not name the run before them.
      if (run.previous !== undefined) return run.previous
    }
    return undefined
  }

  /**
   * The reading in the first of these runs that still exists. If all were deleted, as following runs are, the search
   * continues with the run before them.
   */
  async function readingIn(runs: readonly (string | undefined)[], customerTenantId: string): Promise<Lookup> {
    const named = runs.filter(run => run !== undefined)
    for (const run of named) {
      const reading = await reader.readingIn(run, customerTenantId)
      if (reading !== undefined) return { reading }
    }
    const oldest = named.sort()[0]
    return oldest === undefined ? { none: true } : { continueIn: await newestAt(idToInstant(oldest)) }
  }

  async function lookUp(plan: Plan, customerTenantId: string): Promise<Lookup> {
    const found = await reader.find(plan, customerTenantId)
    if (found !== undefined) {
      const { entry } = found
      if (isRead(entry)) return { reading: { ...found, entry } }
      if (entry.readIn !== undefined || entry.lastRead !== undefined) {
        return readingIn([entry.readIn, entry.lastRead], customerTenantId)
      }
    }
    const other = found === undefined ? await reader.findOther(plan, customerTenantId) : undefined
    if (other?.readIn !== undefined) return readingIn([other.readIn, other.toldIn, other.knownIn], customerTenantId)
    if (other?.gone === true) return readingIn([other.knownIn], customerTenantId)
    if (other?.knownIn !== undefined) return { continueIn: other.knownIn }
    if (!plan.partial && plan.following !== true && plan.others !== undefined) return { none: true }
    // A run over some customers knows nothing about the others. Plans of earlier versions do not know all customers.
    return { continueIn: plan.base ?? plan.previous ?? (await newestAt(idToInstant(plan.snapshotId) - 1000)) }
  }

  /** The id of a following run that was deleted while it was read, if that caused the error. */
  async function deletedRun(error: unknown): Promise<string | undefined> {
    const blob = isUnreadable(error) ? (error.options.target ?? '') : ''
    const snapshotId = runOfBlob(blob)
    const isGone = blob.startsWith(followingFolder) && (await runs.finished(snapshotId)) === undefined
    return isGone ? snapshotId : undefined
  }

  async function lookUpInRun(run: string, customerTenantId: string): Promise<Lookup | SnapshotOrders> {
    const plan =
      (await reader.readPlan({ snapshotId: run })) ?? (await reader.readPlan({ snapshotId: run, following: true }))
    if (plan === undefined) {
      // The run was deleted, or is a following run that is being deleted. If a snapshot lacks only its plan, it is
      // damaged.
      const finished = await runs.finished(run)
      if (finished !== undefined && finished.following !== true) throw corrupt(planBlob({ snapshotId: run }))
      return { continueIn: await newestAt(idToInstant(run)) }
    }
    const lookup = await lookUp(plan, customerTenantId)
    if (!('reading' in lookup)) return lookup
    const orders = await reader.readOrders(lookup.reading)
    const { snapshotId, startedAt } = lookup.reading.plan
    const { customerName } = lookup.reading.entry
    return { orders: orders.map(readOrder), customerName, snapshotId, asOf: Date.parse(startedAt) }
  }

  return async (customerTenantId, atMost, operation) => {
    for (let run = await newestAt(atMost); run !== undefined; ) {
      operation.deadline.signal.throwIfAborted()
      try {
        const lookup = await lookUpInRun(run, customerTenantId)
        if ('orders' in lookup) return lookup
        if (!('continueIn' in lookup)) break
        run = lookup.continueIn
      } catch (error) {
        const deleted = await deletedRun(error)
        if (deleted === undefined) throw error
        run = await newestAt(idToInstant(deleted))
      }
    }
    throw new AppError(
      'snapshot_not_found',
      atMost === undefined
        ? 'No finished snapshot contains this customer. Take one with start-snapshot.'
        : 'No finished snapshot of that time or before contains this customer. list-snapshots lists the snapshots.',
    )
  }
}
