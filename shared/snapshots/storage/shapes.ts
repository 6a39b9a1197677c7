import * as z from 'zod'
import { snapshotIdPattern } from './layout.ts'

/** What the snapshot container holds, as it is written and read back. Contract, sections Snapshots and Shapes. */

const count = z.int().nonnegative()
const snapshotId = z.string().regex(snapshotIdPattern)
const customerTenantId = z.string()
const failure = z.object({ code: z.string(), message: z.string() })

/** Why a customer could not be read, or a run was ended. */
export type Failure = z.infer<typeof failure>

export const trigger = z.enum(['timer', 'request'])
export type Trigger = z.infer<typeof trigger>

export const plannedCustomer = z
  .tuple([customerTenantId, z.string()])
  .rest(z.union([z.literal('unlisted'), snapshotId, z.string().regex(/^told:\d{8}T\d{6}Z$/)]))
/**
 * Tenant id and name: the least a part has to know, kept small for a hundred thousand of them. `unlisted` marks one that
 * only an earlier run knew; an id names the smaller run that read the customer after the run compared with, and `told:`
 * the newest of those that told its changes.
 */
export type PlannedCustomer = z.infer<typeof plannedCustomer>

export const status = z.enum(['running', 'succeeded', 'completedWithErrors', 'failed'])
export type Status = z.infer<typeof status>

/** `current.json`: the run that is going on, or the last one that was. Its nonce tells runs of one second apart. */
export const current = z.object({
  snapshotId,
  nonce: z.string(),
  trigger,
  startedAt: z.iso.datetime(),
  /** Only these customers; then the run moves no `latest.json` and writes no changes. */
  customers: z.array(plannedCustomer).optional(),
  /** A reading between snapshots: its data lie under `following/`, and it does write changes. */
  following: z.boolean().optional(),
  /** The newest run over all customers that had ended without failing when this one started. */
  base: snapshotId.optional(),
  /** The same, whatever customers it was over. */
  previous: snapshotId.optional(),
  /** The watch message that counts; those of earlier rounds are dropped. */
  round: count.default(0),
  /** How often the part messages were sent; those of earlier sendings are dropped. */
  generation: count.default(0),
  /** True once every part message of this generation was sent. */
  sent: z.boolean().default(false),
  /** Part messages wait in the queue on purpose until then, in milliseconds since 1970 UTC: none of them is lost. */
  quietUntil: z.number().optional(),
  /** True if the timer came while the run went on: its own run begins when this one has ended, if the day still needs it. */
  timerWaits: z.boolean().optional(),
  /** Why the run is being ended before its time. */
  stop: failure.optional(),
  /** How the run ended, written after its manifest, `latest.json` and its line in the log. */
  ended: status.optional(),
})
export type Current = z.infer<typeof current>

/** Where a part's customers stand in `_plan.json`, and the least tenant id of it, by which a customer's part is found. */
export const plannedPart = z.object({ firstId: customerTenantId, customers: count, offset: count, length: count })
export type PlannedPart = z.infer<typeof plannedPart>

/** The beginning of `_plan.json`; what stands behind it are the customers, part by part, and those of other runs. */
export const planHead = z.object({
  snapshotId,
  startedAt: z.iso.datetime(),
  trigger,
  /** True for a run that writes no changes: over some customers only. */
  partial: z.boolean(),
  following: z.boolean().optional(),
  /** The run whose data the changes are found against. */
  base: snapshotId.optional(),
  /** The newest run before this one that ended without failing. */
  previous: snapshotId.optional(),
  /** True if not everybody was listed and no earlier run makes up for it: whom this plan does not know need not be new. */
  incomplete: z.boolean().optional(),
  /** Up to when the activity log had been followed: changes before that should have been told. Absent if nobody follows. */
  followedThrough: z.iso.datetime().optional(),
  parts: z.array(plannedPart),
  /** Where the customers stand that are known from other runs and not planned here; absent in plans of earlier versions. */
  others: z.object({ offset: count, length: count }).optional(),
})
export type PlanHead = z.infer<typeof planHead>

/** A customer that is known and that this run does not plan. */
export const otherCustomer = z.object({
  id: customerTenantId,
  /** The run over all customers that planned it last or, if it is gone, read it last. */
  knownIn: snapshotId.optional(),
  gone: z.literal(true).optional(),
  /** The smaller run that read it after that. */
  readIn: snapshotId.optional(),
  /** The newest reading between snapshots that told its changes after that. */
  toldIn: snapshotId.optional(),
})
export type OtherCustomer = z.infer<typeof otherCustomer>

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
  /** The newest earlier run in which the customer was read, of those that changes are found against. */
  lastRead: snapshotId.optional(),
  /** The newest earlier run of all, if that is another. */
  readIn: snapshotId.optional(),
  /** True if the customer is new and none of its orders was told as created yet. */
  isNew: z.boolean().optional(),
})
export type FailedEntry = z.infer<typeof failedEntry>

export const goneEntry = z.object({
  customerTenantId,
  customerName: z.string(),
  gone: z.literal(true),
  lastRead: snapshotId.optional(),
  readIn: snapshotId.optional(),
})
export type GoneEntry = z.infer<typeof goneEntry>

export const index = z.object({ part: count, customers: z.array(z.union([readEntry, failedEntry, goneEntry])) })
export type Index = z.infer<typeof index>
export type IndexEntry = Index['customers'][number]

export const isRead = (entry: IndexEntry): entry is ReadEntry => 'offset' in entry
export const isFailed = (entry: IndexEntry): entry is FailedEntry => 'error' in entry
export const isGone = (entry: IndexEntry): entry is GoneEntry => 'gone' in entry

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
  /** How many of them following should have told before; absent if nobody follows. */
  missedByFollowing: count.optional(),
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

export const latest = z.object({
  snapshotId,
  path: z.string(),
  /** Where its order lines are; absent if a part of an earlier version has none. */
  linesPath: z.string().optional(),
  asOf: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
})
export type Latest = z.infer<typeof latest>

export const changeKinds = ['created', 'updated', 'removed'] as const
export type ChangeKind = (typeof changeKinds)[number]
