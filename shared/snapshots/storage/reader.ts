import type { z } from 'zod'
import { decodeOrders, hashOrders } from './codec.ts'
import { indexBlob, manifestBlob, partBlob, type RunPlace } from './layout.ts'
import { createMemory } from './memory.ts'
import { mayPlan, type Plan, readOthers, readPlan } from './plan-blob.ts'
import {
  type Index,
  type IndexEntry,
  indexSchema,
  isRead,
  type Manifest,
  manifestSchema,
  type OtherCustomer,
  type ReadEntry,
} from './shapes.ts'
import { corrupt } from './storage-errors.ts'
import type { Store } from './store.ts'

/** A customer's index entry, with its run and part. */
type CustomerEntry = { plan: Plan; part: number; entry: IndexEntry }

/** The index entry of a customer that was read. */
export type CustomerReading = CustomerEntry & { entry: ReadEntry }

export type SnapshotReader = {
  /** The plan of a run. Undefined if the run has no plan. */
  readPlan: (run: RunPlace) => Promise<Plan | undefined>
  readIndex: (run: RunPlace, part: number) => Promise<Index>
  readManifest: (run: RunPlace) => Promise<Manifest | undefined>
  /** The customer's entry in a run. Undefined if the run did not plan the customer. */
  find: (plan: Plan, customerTenantId: string) => Promise<CustomerEntry | undefined>
  /** A customer that the run knows from another run and did not plan. */
  findOther: (plan: Plan, customerTenantId: string) => Promise<OtherCustomer | undefined>
  /** The plan of a run. The run can also be a following run, unless `following` is already set. */
  findPlan: (run: RunPlace) => Promise<Plan | undefined>
  /** The reading of a customer in a run. Undefined if the customer was not read there or the run was deleted. */
  readingIn: (snapshotId: string, customerTenantId: string) => Promise<CustomerReading | undefined>
  /** A customer's orders from one range read, checked against the index. */
  readOrders: (reading: CustomerReading) => Promise<Buffer[]>
}

/** The orders of a customer's member, checked against its index entry. */
export async function decodeMember(
  member: Buffer,
  { orders: count, sha256 }: Pick<ReadEntry, 'orders' | 'sha256'>,
  blob: string,
): Promise<Buffer[]> {
  const orders = await decodeOrders(member).catch(cause => {
    throw corrupt(blob, cause)
  })
  if (orders.length !== count || hashOrders(orders.map(json => ({ json }))) !== sha256) throw corrupt(blob)
  return orders
}

/**
 * Reads finished runs. A customer takes one plan, one index and one range of its part. Plans and indexes are kept for
 * the next customer.
 */
export function createReader(store: Store): SnapshotReader {
  const plans = createMemory<Plan>(4)
  const indexes = createMemory<Index>(16)
  const others = createMemory<OtherCustomer[]>(2)

  function parse<T>(schema: z.ZodType<T>, body: Buffer, blob: string): T {
    try {
      return schema.parse(JSON.parse(body.toString('utf8')))
    } catch (cause) {
      throw corrupt(blob, cause)
    }
  }

  const reader: SnapshotReader = {
    readPlan: run => plans(run.snapshotId, () => readPlan(store, run)),
    readIndex: (run, part) =>
      indexes(`${run.snapshotId}/${part}`, async () => {
        const blob = indexBlob(run, part)
        const stored = await store.read(blob)
        if (stored === undefined) throw corrupt(blob)
        return parse(indexSchema, stored.body, blob)
      }),
    async readManifest(run) {
      const blob = manifestBlob(run)
      const stored = await store.read(blob)
      return stored === undefined ? undefined : parse(manifestSchema, stored.body, blob)
    },
    async find(plan, customerTenantId) {
      const part = plan.parts.findLastIndex(({ firstId }) => firstId <= customerTenantId)
      if (part < 0 || !mayPlan(plan, part, customerTenantId)) return undefined
      const { customers } = await reader.readIndex(plan, part)
      const entry = customers.find(each => each.customerTenantId === customerTenantId)
      return entry === undefined ? undefined : { plan, part, entry }
    },
    async findOther(plan, customerTenantId) {
      const known = await others(plan.snapshotId, () => readOthers(store, plan))
      return known.find(({ id }) => id === customerTenantId)
    },
    async findPlan(run) {
      const plan = await reader.readPlan(run)
      return plan !== undefined || run.following ? plan : reader.readPlan({ ...run, following: true })
    },
    async readingIn(snapshotId, customerTenantId) {
      // Most runs that others name for a customer are following runs.
      const plan = (await reader.readPlan({ snapshotId, following: true })) ?? (await reader.readPlan({ snapshotId }))
      const found = plan && (await reader.find(plan, customerTenantId))
      return found !== undefined && isRead(found.entry) ? { ...found, entry: found.entry } : undefined
    },
    async readOrders({ plan, part, entry }) {
      const { offset, length } = entry
      if (length === 0) return []
      const blob = partBlob(plan, part)
      const stored = await store.read(blob, { offset, length })
      if (stored?.body.length !== length) throw corrupt(blob)
      return decodeMember(stored.body, entry, blob)
    },
  }
  return reader
}
