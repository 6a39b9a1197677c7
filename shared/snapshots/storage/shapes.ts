import { z } from 'zod'
import { snapshotIdPattern } from './layout.ts'

/** The blobs of the snapshot container, as they are written and read. */

const count = z.int().nonnegative()
const snapshotId = z.string().regex(snapshotIdPattern)
const customerTenantId = z.string()
const failure = z.object({ code: z.string(), message: z.string() })

/** The reason why a customer could not be read, or why a run was ended. */
export type Failure = z.infer<typeof failure>

export const trigger = z.enum(['timer', 'request'])
export type Trigger = z.infer<typeof trigger>

export const plannedCustomer = z
  .tuple([customerTenantId, z.string()])
  .rest(z.union([z.literal('unlisted'), snapshotId, z.string().regex(/^told:\d{8}T\d{6}Z$/)]))
/**
 * Tenant id, name and marks, kept small for a hundred thousand customers. The mark `unlisted` means that only an
 * earlier run knows the customer. A run id names the smaller run that read the customer after the baseline run. `told:`
 * and a run id name the newest of those that reported its changes.
 */
export type PlannedCustomer = z.infer<typeof plannedCustomer>

export const status = z.enum(['running', 'succeeded', 'completedWithErrors', 'failed'])
export type Status = z.infer<typeof status>

/** `current.json`: the run in progress, or the last one. The nonce distinguishes runs that start within one second. */
export const current = z.object({
  snapshotId,
  nonce: z.string(),
  trigger,
  startedAt: z.iso.datetime(),
  /** Present for a run over these customers only. Such a run does not move `latest.json` and writes no changes. */
  customers: z.array(plannedCustomer).optional(),
  /** A following run: its data are under `following/`, and it writes changes. */
  following: z.boolean().optional(),
  /** The newest run over all customers before this one that did not fail. */
  base: snapshotId.optional(),
  /** The newest run of any kind before this one that did not fail. */
  previous: snapshotId.optional(),
  /** The round of the current watch message. Messages of earlier rounds are dropped. */
  round: count.default(0),
  /** The generation of the current part messages. Messages of earlier generations are dropped. */
  generation: count.default(0),
  /** True if every part message of this generation was sent. */
  sent: z.boolean().default(false),
  /**
   * Until then, part messages are hidden because of throttling, and no part counts as lost. In milliseconds since 1970
   * UTC.
   */
  quietUntil: z.number().optional(),
  /** True if the timer fired during the run. Its own run starts when this one has ended, if the day still needs it. */
  timerWaits: z.boolean().optional(),
  /** The reason why the run is being ended early. */
  stop: failure.optional(),
  /** The status at the end. It is written after the manifest, `latest.json` and the log line. */
  ended: status.optional(),
})
export type Current = z.infer<typeof current>

/**
 * The place of a part's customers in `_plan.json`, and the first tenant id of the part, by which a customer is found.
 */
export const plannedPart = z.object({ firstId: customerTenantId, customers: count, offset: count, length: count })
export type PlannedPart = z.infer<typeof plannedPart>

/** The start of `_plan.json`. The customers follow it, part by part, and then those of other runs. */
export const planHead = z.object({
  snapshotId,
  startedAt: z.iso.datetime(),
  trigger,
  /** True for a run over some customers, which writes no changes. */
  partial: z.boolean(),
  following: z.boolean().optional(),
  /** The baseline run: the run that the orders are compared with. */
  base: snapshotId.optional(),
  /** The newest run before this one that did not fail. */
  previous: snapshotId.optional(),
  /**
   * True if the customer list ended early and no earlier run completes it. A customer that this plan does not know is
   * then not necessarily new.
   */
  incomplete: z.boolean().optional(),
  /**
   * The time up to which the activity log was followed. Changes before it should be reported already. Absent if the log
   * is not followed.
   */
  followedThrough: z.iso.datetime().optional(),
  parts: z.array(plannedPart),
  /**
   * The place of the customers that are known from other runs and not planned here. Absent in plans of earlier
   * versions.
   */
  others: z.object({ offset: count, length: count }).optional(),
})
export type PlanHead = z.infer<typeof planHead>

/** A customer that is known but that this run does not plan. */
export const otherCustomer = z.object({
  id: customerTenantId,
  /** The run over all customers that last planned it. If the customer left, the run that last read it. */
  knownIn: snapshotId.optional(),
  gone: z.literal(true).optional(),
  /** A smaller run that read it after that. */
  readIn: snapshotId.optional(),
  /** The newest following run that reported its changes after that. */
  toldIn: snapshotId.optional(),
})
export type OtherCustomer = z.infer<typeof otherCustomer>

export const readEntry = z.object({
  customerTenantId,
  customerName: z.string(),
  retrievedAt: z.iso.datetime(),
  orders: count,
  /** The byte range in the part. `length` is 0 for a customer without orders. */
  offset: count,
  length: count,
  /** The hash of the orders without `retrievedAt`. Equal hashes mean that there are no changes. */
  sha256: z.string(),
})
export type ReadEntry = z.infer<typeof readEntry>

export const failedEntry = z.object({
  customerTenantId,
  customerName: z.string(),
  error: failure,
  /** The newest earlier run that read the customer and that changes are compared with. */
  lastRead: snapshotId.optional(),
  /** The newest earlier run that read the customer, if it is another one. */
  readIn: snapshotId.optional(),
  /** True if the customer is new and no order is reported as created yet. */
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
  /** The changes that following should have reported before. Absent if the log is not followed. */
  missedByFollowing: count.optional(),
})
export type Snapshot = z.infer<typeof snapshot>

export const manifest = snapshot.extend({
  path: z.string(),
  parts: z.array(z.object({ name: z.string(), orders: count, bytes: count, sha256: z.string() })),
  /** At most 1,000. `customers.failed` is the full count. */
  failures: z.array(failure.extend({ customerTenantId, customerName: z.string().optional() })),
  error: failure.optional(),
})
export type Manifest = z.infer<typeof manifest>

export const latest = z.object({
  snapshotId,
  path: z.string(),
  /** The folder of the order lines. Absent if a part of an earlier version has none. */
  linesPath: z.string().optional(),
  asOf: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
})
export type Latest = z.infer<typeof latest>

export const changeKinds = ['created', 'updated', 'removed'] as const
export type ChangeKind = (typeof changeKinds)[number]
