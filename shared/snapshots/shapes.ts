import { z } from 'zod'
import { snapshotIdPattern } from './layout.ts'

/** What the snapshot container holds, as it is written and read back. Contract, sections Snapshots and Shapes. */

const count = z.int().nonnegative()
const snapshotId = z.string().regex(snapshotIdPattern)
const customerTenantId = z.string()
const failure = z.object({ code: z.string(), message: z.string() })

export const trigger = z.enum(['timer', 'request'])
export type Trigger = z.infer<typeof trigger>

export const plannedCustomer = z.tuple([customerTenantId, z.string()])
/** Tenant id and name: the least a part has to know, kept small for a hundred thousand of them. */
export type PlannedCustomer = z.infer<typeof plannedCustomer>

/** `current.json`: the run that is going on, or the last one that was. Its nonce tells runs of one second apart. */
export const current = z.object({
  snapshotId,
  nonce: z.string(),
  trigger,
  startedAt: z.iso.datetime(),
  /** Only these customers; then the run moves no `latest.json` and writes no changes. */
  customers: z.array(plannedCustomer).optional(),
})
export type Current = z.infer<typeof current>

/** Where a part's customers stand in `_plan.json`, and the least tenant id of it, by which a customer's part is found. */
export const plannedPart = z.object({ firstId: customerTenantId, customers: count, offset: count, length: count })
export type PlannedPart = z.infer<typeof plannedPart>

/** The end of `_plan.json`; what stands before it are the customers, part by part. */
export const planTail = z.object({
  snapshotId,
  startedAt: z.iso.datetime(),
  trigger,
  /** True for a run over some customers only. */
  partial: z.boolean(),
  /** The run whose data the changes are found against. */
  base: snapshotId.optional(),
  parts: z.array(plannedPart),
})
export type PlanTail = z.infer<typeof planTail>

export const readEntry = z.object({
  customerTenantId,
  customerName: z.string(),
  retrievedAt: z.iso.datetime(),
  orders: count,
  /** Bytes in the part; `length` is 0 for a customer without orders. */
  offset: count,
  length: count,
  /** Of the orders without `retrievedAt`: equal hashes mean no changes. */
  sha256: z.string(),
})
export type ReadEntry = z.infer<typeof readEntry>

export const failedEntry = z.object({
  customerTenantId,
  customerName: z.string(),
  error: failure,
  /** The newest earlier run in which the customer was read. */
  lastRead: snapshotId.optional(),
})
export type FailedEntry = z.infer<typeof failedEntry>

export const index = z.object({ part: count, customers: z.array(z.union([readEntry, failedEntry])) })
export type Index = z.infer<typeof index>
export type IndexEntry = Index['customers'][number]

export const isRead = (entry: IndexEntry): entry is ReadEntry => 'offset' in entry

export const status = z.enum(['running', 'succeeded', 'completedWithErrors', 'failed'])
export type Status = z.infer<typeof status>

export const snapshot = z.object({
  snapshotId,
  status,
  trigger,
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().optional(),
  asOf: z.iso.datetime().optional(),
  completeThrough: z.iso.datetime().optional(),
  customers: z.object({ planned: count, read: count, failed: count }),
  orders: count,
  bytes: count,
  changes: z.object({ created: count, updated: count, removed: count }),
})
export type Snapshot = z.infer<typeof snapshot>

export const manifest = snapshot.extend({
  path: z.string(),
  parts: z.array(z.object({ name: z.string(), orders: count, bytes: count, sha256: z.string() })),
  /** At most 1,000; `customers.failed` is the full count. */
  failures: z.array(failure.extend({ customerTenantId, customerName: z.string().optional() })),
  error: failure.optional(),
})
export type Manifest = z.infer<typeof manifest>

export const latest = z.object({ snapshotId, path: z.string(), asOf: z.iso.datetime(), finishedAt: z.iso.datetime() })
export type Latest = z.infer<typeof latest>

export const pace = z.object({ next: z.number() })

/** Messages of the queue. Their members are named so that none hides the queue's own metadata. */
export const message = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('plan'), snapshotId, nonce: z.string(), sentAt: z.number() }),
  z.object({ kind: z.literal('part'), snapshotId, part: count, offset: count, length: count, handedBack: count }),
])
export type Message = z.infer<typeof message>
export type PartMessage = Extract<Message, { kind: 'part' }>
export type PlanMessage = Extract<Message, { kind: 'plan' }>

export const changeKinds = ['created', 'updated', 'removed'] as const
export type ChangeKind = (typeof changeKinds)[number]

/** What a part counts, kept in its metadata so that nobody has to read indexes to add up a run. */
export type PartCounts = {
  orders: number
  read: number
  failed: number
  created: number
  updated: number
  removed: number
}
