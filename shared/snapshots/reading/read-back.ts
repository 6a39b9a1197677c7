import { AppError } from '../../errors.ts'
import { type OrderBytes, readOrder } from '../../partner-center/collection.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import type { CurrentRun } from '../storage/current-run.ts'
import type { FindRuns } from '../storage/find-runs.ts'
import { followingFolder, idToInstant, planBlob, type RunPlace, runOfBlob, toSnapshotId } from '../storage/layout.ts'
import type { Plan } from '../storage/plan-blob.ts'
import type { FoundReading, SnapshotReader } from '../storage/reader.ts'
import { isRead } from '../storage/shapes.ts'
import { corrupt, isUnreadable } from '../storage/storage-errors.ts'

export type SnapshotOrders = {
  orders: OrderBytes[]
  customerName: string
  snapshotId: string
  /** Milliseconds since 1970 UTC: the start of the run they were read in. */
  asOf: number
}

/** The orders of a customer as the newest finished run at or before an instant holds them; the newest of all without one. */
export type ReadBack = (
  customerTenantId: string,
  atMost: number | undefined,
  operation: OperationContext,
) => Promise<SnapshotOrders>

/** What a run says of a customer: a reading, that there is none in any run, or that an earlier run has to be asked. */
type Lookup = { reading: FoundReading } | { none: true } | { ask: RunPlace | undefined }

const placeOf = (snapshotId: string | undefined): RunPlace | undefined =>
  snapshotId === undefined ? undefined : { snapshotId }

/** Finds the newest finished run at or before an instant, for a run that is no longer kept or does not know the rest. */
type FindOlder = (atMost: number) => Promise<RunPlace | undefined>

type Options = { runs: FindRuns; reader: SnapshotReader; currentRun: CurrentRun }

/**
 * Answers from snapshots. A run over all customers knows of each who was ever read where that was last, so that one run
 * tells; runs over some customers and runs that failed name the one before.
 */
export function createReadBack({ runs, reader, currentRun }: Options): ReadBack {
  /** The newest finished run, as `current.json` names it; undefined if it does not. */
  async function newest(): Promise<RunPlace | undefined> {
    const { current } = await currentRun.read()
    if (current === undefined) return undefined
    const status = current.ended ?? (await runs.finishedAt(current))?.status ?? 'failed'
    return status === 'failed' ? placeOf(current.previous) : current
  }

  /** The newest finished run at or before an instant, among those that `places` has not given yet. */
  async function nextFinished(places: AsyncGenerator<RunPlace>, atMost: number): Promise<RunPlace | undefined> {
    for (let next = await places.next(); next.done !== true; next = await places.next()) {
      const place = next.value
      if (idToInstant(place.snapshotId) > atMost) continue
      const run = await runs.finishedAt(place)
      if (run === undefined || Date.parse(run.startedAt) > atMost) continue
      if (run.status !== 'failed') return place
      // Failed runs of earlier versions do not name the one before.
      if (run.previous !== undefined) return placeOf(run.previous)
    }
    return undefined
  }

  /**
   * The reading in the first of these runs that is still kept. If none is, since readings between snapshots are folded
   * away, the runs before them are asked.
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
    return oldest === undefined ? { none: true } : { ask: await findOlder(idToInstant(oldest)) }
  }

  async function ask(plan: Plan, customerTenantId: string, findOlder: FindOlder): Promise<Lookup> {
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
    if (other?.knownIn !== undefined) return { ask: placeOf(other.knownIn) }
    if (!plan.partial && plan.following !== true && plan.others !== undefined) return { none: true }
    // A run over some customers says nothing of the rest, and those of earlier versions do not know everybody.
    return { ask: placeOf(plan.base ?? plan.previous) ?? (await findOlder(idToInstant(plan.snapshotId) - 1000)) }
  }

  /** The reading between snapshots that was folded away while it was read, if that is what the error comes from. */
  async function foldedRun(error: unknown): Promise<string | undefined> {
    const blob = isUnreadable(error) ? (error.options.target ?? '') : ''
    const snapshotId = runOfBlob(blob)
    const isGone = blob.startsWith(followingFolder) && (await runs.finished(snapshotId)) === undefined
    return isGone ? snapshotId : undefined
  }

  async function askRun(
    run: RunPlace,
    customerTenantId: string,
    findOlder: FindOlder,
  ): Promise<Lookup | SnapshotOrders> {
    const plan = await reader.findPlan(run)
    if (plan === undefined) {
      // A run that is no longer kept, or a reading that is half folded away; or a snapshot whose plan alone is gone.
      const finished = await runs.finished(run.snapshotId)
      if (finished !== undefined && finished.following !== true) throw corrupt(planBlob(run))
      return { ask: await findOlder(idToInstant(run.snapshotId)) }
    }
    const answer = await ask(plan, customerTenantId, findOlder)
    if (!('reading' in answer)) return answer
    const orders = await reader.readOrders(answer.reading)
    const { snapshotId, startedAt } = answer.reading.plan
    const { customerName } = answer.reading.entry
    return { orders: orders.map(readOrder), customerName, snapshotId, asOf: Date.parse(startedAt) }
  }

  return async (customerTenantId, atMost, operation) => {
    const places = runs.places(atMost === undefined ? undefined : toSnapshotId(atMost))
    const findOlder: FindOlder = instant => nextFinished(places, instant)
    const first = atMost === undefined ? await newest() : undefined
    for (let run = first ?? (await findOlder(atMost ?? Number.POSITIVE_INFINITY)); run !== undefined; ) {
      operation.deadline.signal.throwIfAborted()
      try {
        const answer = await askRun(run, customerTenantId, findOlder)
        if ('orders' in answer) return answer
        if (!('ask' in answer)) break
        run = answer.ask
      } catch (error) {
        const folded = await foldedRun(error)
        if (folded === undefined) throw error
        run = await findOlder(idToInstant(folded))
      }
    }
    throw new AppError(
      'snapshot_not_found',
      atMost === undefined
        ? 'No finished snapshot holds this customer. Take one with start-snapshot.'
        : 'No finished snapshot of that time or before holds this customer. list-snapshots shows which there are.',
    )
  }
}
