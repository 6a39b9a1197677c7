import { z } from 'zod'
import { snapshotIdPattern } from './layout.ts'

/** The blobs of the snapshot container, as they are written and read. */

const count = z.int().nonnegative()
const snapshotId = z.string().regex(snapshotIdPattern)
const customerTenantId = z.string()
const failureSchema = z.object({ code: z.string(), message: z.string() })

/** The reason why a customer could not be read, or why a run was ended. */
export type Failure = z.infer<typeof failureSchema>

export const triggerSchema = z.enum(['timer', 'request'])
export type Trigger = z.infer<typeof triggerSchema>

export const plannedCustomerSchema = z
  .tuple([customerTenantId, z.string()])
  .rest(z.union([z.literal('unlisted'), snapshotId, z.string().regex(/^told:\d{8}T\d{6}Z$/)]))
/**
 * Tenant id, name and marks, kept small for a hundred thousand customers. The mark `unlisted` means that only an
 * earlier run knows the customer. A run id names the smaller run that read the customer after the baseline run. `told:`
 * and a run id name the newest of those that reported its changes.
 */
export type PlannedCustomer = z.infer<typeof plannedCustomerSchema>

export const statusSchema = z.enum(['running', 'succeeded', 'completedWithErrors', 'failed'])
export type Status = z.infer<typeof statusSchema>

/** `current.json`: the run in progress, or the last one. The nonce distinguishes runs that start within one second. */
export const currentSchema = z.object({
  snapshotId,
  nonce: z.string(),
  trigger: triggerSchema,
  startedAt: z.iso.datetime(),
  /** Present for a run over these customers only. Such a run does not move `latest.json` and writes no changes. */
  customers: z.array(plannedCustomerSchema).optional(),
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
  stop: failureSchema.optional(),
  /** The status at the end. It is written after the manifest, `latest.json` and the log line. */
  ended: statusSchema.optional(),
})
export type Current = z.infer<typeof currentSchema>

/**
 * The place of a part's customers in `_plan.json`, and the first tenant id of the part, by which a customer is found.
 */
const plannedPartSchema = z.object({ firstId: customerTenantId, customers: count, offset: count, length: count })
export type PlannedPart = z.infer<typeof plannedPartSchema>

/** The start of `_plan.json`. The customers follow it, part by part, and then those of other runs. */
export const planHeadSchema = z.object({
  snapshotId,
  startedAt: z.iso.datetime(),
  trigger: triggerSchema,
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
  parts: z.array(plannedPartSchema),
  /**
   * The place of the customers that are known from other runs and not planned here. Absent in plans of earlier
   * versions.
   */
  others: z.object({ offset: count, length: count }).optional(),
})
export type PlanHead = z.infer<typeof planHeadSchema>

/** A customer that is known but that this run does not plan. */
export const otherCustomerSchema = z.object({
  id: customerTenantId,
  /** The run over all customers that last planned it. If the customer left, the run that last read it. */
  knownIn: snapshotId.optional(),
  gone: z.literal(true).optional(),
  /** A smaller run that read it after that. */
  readIn: snapshotId.optional(),
  /** The newest following run that reported its changes after that. */
  toldIn: snapshotId.optional(),
})
export type OtherCustomer = z.infer<typeof otherCustomerSchema>

const readEntrySchema = z.object({
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
export type ReadEntry = z.infer<typeof readEntrySchema>

const failedEntrySchema = z.object({
  customerTenantId,
  customerName: z.string(),
  error: failureSchema,
  /** The newest earlier run that read the customer and that changes are compared with. */
  lastRead: snapshotId.optional(),
  /** The newest earlier run that read the customer, if it is another one. */
  readIn: snapshotId.optional(),
  /** True if the customer is new and no order is reported as created yet. */
  isNew: z.boolean().optional(),
})
export type FailedEntry = z.infer<typeof failedEntrySchema>

const goneEntrySchema = z.object({
  customerTenantId,
  customerName: z.string(),
  gone: z.literal(true),
  lastRead: snapshotId.optional(),
  readIn: snapshotId.optional(),
})
export type GoneEntry = z.infer<typeof goneEntrySchema>

export const indexSchema = z.object({
  part: count,
  customers: z.array(z.union([readEntrySchema, failedEntrySchema, goneEntrySchema])),
})
export type Index = z.infer<typeof indexSchema>
export type IndexEntry = Index['customers'][number]

export const isRead = (entry: IndexEntry): entry is ReadEntry => 'offset' in entry
export const isFailed = (entry: IndexEntry): entry is FailedEntry => 'error' in entry
export const isGone = (entry: IndexEntry): entry is GoneEntry => 'gone' in entry

export const snapshotSchema = z.object({
  snapshotId,
  status: statusSchema,
  trigger: triggerSchema,
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
export type Snapshot = z.infer<typeof snapshotSchema>

export const manifestSchema = snapshotSchema.extend({
  path: z.string(),
  parts: z.array(z.object({ name: z.string(), orders: count, bytes: count, sha256: z.string() })),
  /** At most 1,000. `customers.failed` is the full count. */
  failures: z.array(failureSchema.extend({ customerTenantId, customerName: z.string().optional() })),
  error: failureSchema.optional(),
})
export type Manifest = z.infer<typeof manifestSchema>

export const latestSchema = z.object({
  snapshotId,
  path: z.string(),
  /** The folder of the order lines. Absent if a part of an earlier version has none. */
  linesPath: z.string().optional(),
  asOf: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
})
export type Latest = z.infer<typeof latestSchema>

export const changeKinds = ['created', 'updated', 'removed'] as const
export type ChangeKind = (typeof changeKinds)[number]
