import { AppError } from '../../errors.ts'
import { type OrderBytes, readOrder } from '../../partner-center/collection.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import type { CurrentRun } from '../storage/current-run.ts'
import type { FindRuns } from '../storage/find-runs.ts'
import { followingFolder, planBlob, type RunPlace, runOfBlob, timeOfId, toSnapshotId } from '../storage/layout.ts'
import type { Plan } from '../storage/plan-blob.ts'
import type { CustomerReading, SnapshotReader } from '../storage/reader.ts'
import { isRead } from '../storage/shapes.ts'
import { corrupt, isUnreadable } from '../storage/storage-errors.ts'

type SnapshotOrders = {
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
type Lookup = { reading: CustomerReading } | { none: true } | { continueIn: RunPlace | undefined }

const placeOf = (snapshotId: string | undefined): RunPlace | undefined =>
  snapshotId === undefined ? undefined : { snapshotId }

/** Finds the newest finished run at or before a time. For runs that were deleted or do not know all customers. */
type FindOlder = (atMost: number) => Promise<RunPlace | undefined>

type Options = { runs: FindRuns; reader: SnapshotReader; currentRun: CurrentRun }

/**
 * Reads from snapshots. The plan of a run over all customers names the run that last read each known customer, so one
 * run is enough. A run over some customers, or a failed run, names the run before it.
 */
export function createReadBack({ runs, reader, currentRun }: Options): ReadBack {
  /** The newest finished run that `current.json` names. Undefined if it names none. */
  async function newest(): Promise<RunPlace | undefined> {
    const { current } = await currentRun.read()
    if (current === undefined) return undefined
    const status = current.ended ?? (await runs.finishedAt(current))?.status ?? 'failed'
    return status === 'failed' ? placeOf(current.previous) : current
  }

  /** The newest finished run at or before a time. The search continues where the last one in `places` ended. */
  async function nextFinished(places: AsyncGenerator<RunPlace>, atMost: number): Promise<RunPlace | undefined> {
    for (let next = await places.next(); next.done !== true; next = await places.next()) {
      const place = next.value
      if (timeOfId(place.snapshotId) > atMost) continue
      const run = await runs.finishedAt(place)
      if (run === undefined || Date.parse(run.startedAt) > atMost) continue
      if (run.status !== 'failed') return place
      // Failed runs of earlier versions do not name the run before them.
      if (run.previous !== undefined) return placeOf(run.previous)
    }
    return undefined
  }

  /**
   * The reading in the first of these runs that still exists. If all were deleted, as following runs are, the search
   * continues with the run before them.
   */
  async function readingIn(
    runs: readonly (string | undefined)[],
    customerTenantId: string,
    findOlder: FindOlder,
  ): Promise<Lookup> {
    const named = new Set(runs.filter(run => run !== undefined))
    for (const run of named) {
      const reading = await reader.readingIn(run, customerTenantId)
      if (reading !== undefined) return { reading }
    }
    const oldest = [...named].sort()[0]
    return oldest === undefined ? { none: true } : { continueIn: await findOlder(timeOfId(oldest)) }
  }

  async function lookUp(plan: Plan, customerTenantId: string, findOlder: FindOlder): Promise<Lookup> {
    const found = await reader.find(plan, customerTenantId)
    if (found !== undefined) {
      const { entry } = found
      if (isRead(entry)) return { reading: { ...found, entry } }
      if (entry.readIn !== undefined || entry.lastRead !== undefined) {
        return readingIn([entry.readIn, entry.lastRead], customerTenantId, findOlder)
      }
    }
    const other = found === undefined ? await reader.findOther(plan, customerTenantId) : undefined
    if (other?.readIn !== undefined)
      return readingIn([other.readIn, other.toldIn, other.knownIn], customerTenantId, findOlder)
    if (other?.gone === true) return readingIn([other.knownIn], customerTenantId, findOlder)
    if (other?.knownIn !== undefined) return { continueIn: placeOf(other.knownIn) }
    if (!plan.partial && plan.following !== true && plan.others !== undefined) return { none: true }
    // A run over some customers says nothing of the rest, and those of earlier versions do not know everybody.
    return { continueIn: placeOf(plan.base ?? plan.previous) ?? (await findOlder(timeOfId(plan.snapshotId) - 1000)) }
  }

  /** The id of a following run that was deleted while it was read, if that caused the error. */
  async function deletedRun(error: unknown): Promise<string | undefined> {
    const blob = isUnreadable(error) ? (error.options.target ?? '') : ''
    const snapshotId = runOfBlob(blob)
    const isGone = blob.startsWith(followingFolder) && (await runs.finished(snapshotId)) === undefined
    return isGone ? snapshotId : undefined
  }

  async function lookUpInRun(
    run: RunPlace,
    customerTenantId: string,
    findOlder: FindOlder,
  ): Promise<Lookup | SnapshotOrders> {
    const plan = await reader.findPlan(run)
    if (plan === undefined) {
      // A run that is no longer kept, or a reading that is half deleted away; or a snapshot whose plan alone is gone.
      const finished = await runs.finished(run.snapshotId)
      if (finished !== undefined && finished.following !== true) throw corrupt(planBlob(run))
      return { continueIn: await findOlder(timeOfId(run.snapshotId)) }
    }
    const lookup = await lookUp(plan, customerTenantId, findOlder)
    if (!('reading' in lookup)) return lookup
    const orders = await reader.readOrders(lookup.reading)
    const { snapshotId, startedAt } = lookup.reading.plan
    const { customerName } = lookup.reading.entry
    return { orders: orders.map(readOrder), customerName, snapshotId, asOf: Date.parse(startedAt) }
  }

  return async (customerTenantId, atMost, operation) => {
    const places = runs.places(atMost === undefined ? undefined : toSnapshotId(atMost))
    const findOlder: FindOlder = at => nextFinished(places, at)
    const first = atMost === undefined ? await newest() : undefined
    for (let run = first ?? (await findOlder(atMost ?? Number.POSITIVE_INFINITY)); run !== undefined; ) {
      operation.deadline.signal.throwIfAborted()
      try {
        const lookup = await lookUpInRun(run, customerTenantId, findOlder)
        if ('orders' in lookup) return lookup
        if (!('continueIn' in lookup)) break
        run = lookup.continueIn
      } catch (error) {
        const deleted = await deletedRun(error)
        if (deleted === undefined) throw error
        run = await findOlder(timeOfId(deleted))
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
