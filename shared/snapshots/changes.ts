import { createHash } from 'node:crypto'
import type { Call } from '../call.ts'
import { isAppError } from '../errors.ts'
import { describeError } from '../log.ts'
import { compareOrders, type OrderChange } from '../orders/compare-orders.ts'
import { type Found, isCorrupt, lastRead, type SnapshotReader } from './reader.ts'
import type { ReadEntry } from './shapes.ts'

type Customer = { customerTenantId: string; customerName: string }

/** What earlier runs know of the customers of one part. */
export type PartHistory = {
  /** The newest earlier run in which the customer was read, as a failed entry carries it on. */
  lastReadOf: (customerTenantId: string) => string | undefined
  /** The changes of a customer that was read now, as lines of JSON. */
  changesOf: (customer: Customer, now: ReadEntry, orders: readonly Buffer[]) => Promise<ChangeLine[]>
  /** `removed` for every order of the customers that are no longer listed. */
  goneChanges: (detectedAt: string) => AsyncGenerator<ChangeLine[]>
}

export type ChangeLine = { kind: OrderChange['kind']; line: string }

type Range = {
  /** Least tenant id of the part; empty for the first part, which begins before all. */
  from: string
  /** Least tenant id of the next part; undefined for the last, which has no end. */
  to: string | undefined
  /** The part's own customers. */
  planned: ReadonlySet<string>
}

const nothingKnown: PartHistory = {
  lastReadOf: () => undefined,
  changesOf: async () => [],
  goneChanges: async function* () {},
}

/**
 * Finds the changes of one part against the newest earlier finished run. A damaged earlier run costs its comparisons,
 * never the run: what cannot be read yields no changes and one log line.
 */
export async function readHistory(
  reader: SnapshotReader,
  snapshotId: string,
  base: string | undefined,
  { from, to, planned }: Range,
  call: Call,
): Promise<PartHistory> {
  if (base === undefined) return nothingKnown

  const lost = (error: unknown): void => {
    if (isAppError(error) && !isCorrupt(error)) throw error
    call.log('warn', 'comparison_lost', { snapshotId, base, why: describeError(error) })
  }

  const entries = new Map<string, Found>()
  try {
    const plan = await reader.readPlan(base)
    for (const [part, { firstId }] of plan?.parts.entries() ?? []) {
      const nextId = plan?.parts[part + 1]?.firstId
      if ((to !== undefined && firstId >= to) || (nextId !== undefined && nextId <= from)) continue
      for (const entry of (await reader.readIndex(base, part)).customers) {
        const { customerTenantId: id } = entry
        if (id >= from && (to === undefined || id < to)) entries.set(id, { snapshotId: base, part, entry })
      }
    }
  } catch (error) {
    lost(error)
    return nothingKnown
  }

  async function compare(
    found: Found | undefined,
    present: readonly Buffer[],
    customer: Customer,
    detectedAt: string,
  ): Promise<ChangeLine[]> {
    try {
      const read = await lastRead(reader, found)
      // Not in the run before at all: the customer is new, and so is every order. Never read before: nothing is known.
      if (found !== undefined && read === undefined) return []
      const previous = read === undefined ? [] : await reader.readOrders(read.snapshotId, read.part, read.entry)
      return compareOrders(previous, present).map(change => ({
        kind: change.kind,
        line: toLine(snapshotId, customer, change, detectedAt),
      }))
    } catch (error) {
      lost(error)
      return []
    }
  }

  return {
    lastReadOf(customerTenantId) {
      const entry = entries.get(customerTenantId)?.entry
      if (entry === undefined) return undefined
      return 'offset' in entry ? base : entry.lastRead
    },
    async changesOf(customer, now, orders) {
      const found = entries.get(customer.customerTenantId)
      if (found !== undefined && 'offset' in found.entry && found.entry.sha256 === now.sha256) return []
      return compare(found, orders, customer, now.retrievedAt)
    },
    async *goneChanges(detectedAt) {
      for (const [id, found] of entries) {
        if (planned.has(id)) continue
        yield await compare(found, [], found.entry, detectedAt)
      }
    },
  }
}

/** Stable: the same change found again, after a crash or by two at once, has the same id. */
const changeId = (snapshotId: string, customerTenantId: string, { kind, orderId }: OrderChange): string =>
  `${snapshotId}-${createHash('sha256').update(`${customerTenantId}\0${orderId}\0${kind}`).digest('hex').slice(0, 20)}`

function toLine(
  snapshotId: string,
  { customerTenantId, customerName }: Customer,
  change: OrderChange,
  detectedAt: string,
): string {
  const head = JSON.stringify({
    id: changeId(snapshotId, customerTenantId, change),
    kind: change.kind,
    snapshotId,
    detectedAt,
    customerTenantId,
    ...(customerName === '' ? {} : { customerName }),
    orderId: change.orderId,
    ...(change.kind === 'updated' ? { changedMembers: change.changedMembers } : {}),
  })
  const order = change.kind === 'removed' ? '' : `,"order":${change.order.toString('utf8')}`
  const previous = change.kind === 'created' ? '' : `,"previousOrder":${change.previousOrder.toString('utf8')}`
  return `${head.slice(0, -1)}${order}${previous}}`
}
