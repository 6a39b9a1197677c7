import { compareOrders } from '../../orders/compare-orders.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import { newerRun, type Plan, reportingRun } from '../storage/plan-blob.ts'
import type { CustomerReading, SnapshotReader } from '../storage/reader.ts'
import {
  type FailedEntry,
  type Failure,
  type GoneEntry,
  type IndexEntry,
  isFailed,
  isRead,
  type OtherCustomer,
  type PlannedCustomer,
  type ReadEntry,
} from '../storage/shapes.ts'
import { isUnreadable } from '../storage/storage-errors.ts'
import { type ChangeLine, toChangeLine } from './change-lines.ts'

/**
 * What earlier runs know about a customer, and what a successful reading then reports:
 *
 * | State | Meaning | Changes that a successful reading reports |
 * |---|---|---|
 * | `read` | read in the baseline run | the differences from that reading |
 * | `read-before` | failed in the baseline run, or read by a following run after it | the differences from the reading in the named run |
 * | `new` | not a customer in the baseline run, or left since: no order is reported as created | every order is `created` |
 * | `unknown` | there is no baseline run, or its data are damaged | none |
 */
type Known =
  | { state: 'read'; reading: CustomerReading }
  | { state: 'read-before'; snapshotId: string }
  | { state: 'new'; lastRead?: string | undefined }
  | { state: 'unknown' }

/** What earlier runs know about the customers of one part. */
export type PartHistory = {
  /** The changes of a customer that was read in this run. */
  changesOf: (customer: PlannedCustomer, now: ReadEntry, orders: readonly Buffer[]) => Promise<ChangeLine[]>
  /** `removed` for every order of a customer that left. */
  removalsOf: (customer: PlannedCustomer, detectedAt: string) => Promise<ChangeLine[]>
  /** The index entry of a customer that failed. */
  toFailed: (customer: PlannedCustomer, error: Failure) => FailedEntry
  /** The index entry of a customer that left. */
  toGone: (customer: PlannedCustomer) => GoneEntry
}

type Options = {
  reader: SnapshotReader
  plan: Plan
  customers: readonly PlannedCustomer[]
  operation: OperationContext
}

function toKnown(plan: Plan, part: number, entry: IndexEntry): Known {
  if (isRead(entry)) return { state: 'read', reading: { plan, part, entry } }
  if (!isFailed(entry) || entry.isNew === true) return { state: 'new', lastRead: entry.lastRead }
  return entry.lastRead === undefined ? { state: 'unknown' } : { state: 'read-before', snapshotId: entry.lastRead }
}

/**
 * Reads the state of a part's customers from three places, where a later one replaces an earlier one:
 * 1. the indexes of the baseline run, for customers that it planned;
 * 2. the other customers in its plan, and the runs they name;
 * 3. the marks of the new plan (`newerRun`, `reportingRun`), for following runs after the baseline run.
 *
 * Damage in an earlier run costs comparisons but does not fail the run. A customer whose data are unreadable stays
 * `unknown` and has no changes. The log then has one line `comparison_lost`.
 */
export async function readHistory({ reader, plan, customers, operation }: Options): Promise<PartHistory> {
  const { snapshotId, base } = plan
  const known = new Map<string, Known>()
  /** The newest run that read a customer, if it is not the run that changes are compared with. */
  const lastReadIn = new Map<string, string>()
  const noteReading = (id: string, run: string | undefined) => {
    if (run !== undefined) lastReadIn.set(id, run)
  }
  const stateOf = ([id]: PlannedCustomer): Known => known.get(id) ?? { state: 'unknown' }

  const rethrowUnlessUnreadable = (error: unknown): void => {
    if (!isUnreadable(error)) throw error
    operation.log('warn', 'comparison_lost', { snapshotId, base, why: error.message })
  }

  async function readBase(basePlan: Plan): Promise<void> {
    const [first = '', last = ''] = [customers[0]?.[0], customers.at(-1)?.[0]]
    const damaged: { from: string; to: string | undefined }[] = []
    for (const [part, { firstId }] of basePlan.parts.entries()) {
      const nextId = basePlan.parts[part + 1]?.firstId
      if (firstId > last || (nextId !== undefined && nextId <= first)) continue
      if (!customers.some(([id]) => id >= firstId && (nextId === undefined || id < nextId))) continue
      try {
        for (const entry of (await reader.readIndex(basePlan, part)).customers) {
          known.set(entry.customerTenantId, toKnown(basePlan, part, entry))
          if (!isRead(entry)) noteReading(entry.customerTenantId, entry.readIn)
        }
      } catch (error) {
        rethrowUnlessUnreadable(error)
        damaged.push({ from: firstId, to: nextId })
      }
    }
    const isDamaged = (id: string) => damaged.some(({ from, to }) => id >= from && (to === undefined || id < to))
    for (const [id] of customers) {
      if (known.has(id) || isDamaged(id)) continue
      const other = await reader.findOther(basePlan, id)
      noteReading(id, other?.readIn)
      known.set(id, await resolve(other, basePlan.incomplete === true, id))
    }
  }

  /** The state of a customer that the baseline run did not plan. */
  async function resolve(other: OtherCustomer | undefined, isIncomplete: boolean, id: string): Promise<Known> {
    if (other?.toldIn !== undefined) return { state: 'read-before', snapshotId: other.toldIn }
    if (other?.gone === true) return { state: 'new', lastRead: other.knownIn }
    if (other?.knownIn === undefined) return { state: isIncomplete ? 'unknown' : 'new' }
    const otherPlan = await reader.readPlan({ snapshotId: other.knownIn })
    const found = otherPlan && (await reader.find(otherPlan, id))
    return found === undefined ? { state: 'unknown' } : toKnown(found.plan, found.part, found.entry)
  }

  if (base !== undefined && !plan.partial) {
    try {
      const basePlan = await reader.readPlan({ snapshotId: base })
      if (basePlan === undefined) operation.log('warn', 'comparison_lost', { snapshotId, base, why: 'It has no plan' })
      else await readBase(basePlan)
    } catch (error) {
      rethrowUnlessUnreadable(error)
    }
  }

  // The marks of the new plan are newer than the baseline run.
  for (const customer of customers) {
    noteReading(customer[0], newerRun(customer))
    const reported = reportingRun(customer)
    if (reported !== undefined && !plan.partial) known.set(customer[0], { state: 'read-before', snapshotId: reported })
  }

  async function compare(
    customer: PlannedCustomer,
    previous: CustomerReading | undefined,
    orders: readonly Buffer[],
    detectedAt: string,
  ): Promise<ChangeLine[]> {
    const [customerTenantId, customerName] = customer
    const before = previous === undefined ? [] : await reader.readOrders(previous)
    const previousSnapshotId = previous?.plan.snapshotId
    const context = { snapshotId, detectedAt, customerTenantId, customerName, previousSnapshotId }
    return compareOrders(before, orders).map(change => toChangeLine(change, context))
  }

  /** The reading to compare with. `{ reading: undefined }` if there is none, undefined if it is not known. */
  async function previousOf(customer: PlannedCustomer): Promise<{ reading: CustomerReading | undefined } | undefined> {
    const state = stateOf(customer)
    if (state.state === 'unknown') return undefined
    if (state.state === 'new') return { reading: undefined }
    if (state.state === 'read') return { reading: state.reading }
    const reading = await reader.readingIn(state.snapshotId, customer[0])
    if (reading === undefined)
      operation.log('warn', 'comparison_lost', { snapshotId, base: state.snapshotId, why: 'It is no longer kept' })
    return reading && { reading }
  }

  async function reportChanges(
    customer: PlannedCustomer,
    work: (reading: CustomerReading | undefined) => Promise<ChangeLine[]>,
  ): Promise<ChangeLine[]> {
    try {
      const previous = await previousOf(customer)
      return previous === undefined ? [] : await work(previous.reading)
    } catch (error) {
      rethrowUnlessUnreadable(error)
      return []
    }
  }

  function earlierReadings(id: string): { lastRead?: string; readIn?: string } {
    const lastRead = lastReadOf(stateOf([id, '']))
    const newest = lastReadIn.get(id)
    return {
      ...(lastRead === undefined ? {} : { lastRead }),
      ...(newest === undefined || newest <= (lastRead ?? '') ? {} : { readIn: newest }),
    }
  }

  return {
    changesOf: (customer, now, orders) =>
      reportChanges(customer, async reading => {
        if (reading?.entry.sha256 === now.sha256) return []
        return compare(customer, reading, orders, now.retrievedAt)
      }),
    removalsOf: (customer, detectedAt) =>
      reportChanges(customer, async reading =>
        reading === undefined ? [] : compare(customer, reading, [], detectedAt),
      ),
    toFailed([customerTenantId, customerName], error) {
      const isNew = stateOf([customerTenantId, customerName]).state === 'new'
      const earlier = earlierReadings(customerTenantId)
      return { customerTenantId, customerName, error, ...earlier, ...(isNew ? { isNew } : {}) }
    },
    toGone: ([customerTenantId, customerName]) => ({
      customerTenantId,
      customerName,
      gone: true,
      ...earlierReadings(customerTenantId),
    }),
  }
}

function lastReadOf(known: Known): string | undefined {
  if (known.state === 'read') return known.reading.plan.snapshotId
  if (known.state === 'read-before') return known.snapshotId
  return known.state === 'new' ? known.lastRead : undefined
}
