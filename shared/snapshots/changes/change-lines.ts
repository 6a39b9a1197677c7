import { createHash } from 'node:crypto'
import type { OrderChange } from '../../orders/compare-orders.ts'
import { parseTimestamp, toMilliseconds } from '../../orders/timestamp.ts'
import { encodeLines } from '../storage/codec.ts'
import type { ChangeCounts } from '../storage/part-metadata.ts'
import type { PartWriter } from '../storage/part-writer.ts'

export type ChangeLine = {
  kind: OrderChange['kind']
  line: string
  /** The creation date of a created order, in Partner Center's format. */
  createdAt?: string | undefined
}

/** The members of a change line besides the change itself. */
type ChangeContext = {
  snapshotId: string
  detectedAt: string
  customerTenantId: string
  customerName: string
  /** The run that the orders were compared with. Undefined for a new customer. */
  previousSnapshotId: string | undefined
}

/** Stable: the same change gets the same id, also after a crash or when two workers find it. */
const changeId = ({ snapshotId, customerTenantId }: ChangeContext, { kind, orderId }: OrderChange): string =>
  `${snapshotId}-${createHash('sha256').update(`${customerTenantId}\0${orderId}\0${kind}`).digest('hex').slice(0, 20)}`

/** One change as a line of the changes blob. The orders keep their original bytes. */
export function toChangeLine(change: OrderChange, context: ChangeContext): ChangeLine {
  const { snapshotId, detectedAt, customerTenantId, customerName, previousSnapshotId } = context
  const head = JSON.stringify({
    id: changeId(context, change),
    kind: change.kind,
    snapshotId,
    detectedAt,
    customerTenantId,
    ...(customerName === '' ? {} : { customerName }),
    orderId: change.orderId,
    ...(change.kind === 'updated' ? { changedMembers: change.changedMembers } : {}),
    ...(previousSnapshotId === undefined ? {} : { previousSnapshotId }),
  })
  const order = change.kind === 'removed' ? '' : `,"order":${change.order.toString('utf8')}`
  const previous = change.kind === 'created' ? '' : `,"previousOrder":${change.previousOrder.toString('utf8')}`
  const line = `${head.slice(0, -1)}${order}${previous}}`
  return { kind: change.kind, line, ...(change.kind === 'created' ? { createdAt: creationDateOf(change.order) } : {}) }
}

function creationDateOf(order: Buffer): string | undefined {
  const { creationDate } = JSON.parse(order.toString('utf8')) as Record<string, unknown>
  return typeof creationDate === 'string' ? creationDate : undefined
}

/**
 * True for a change that a snapshot reports although following should have reported it before. An update has no date of
 * its own, so it does not count. A created order counts if it is older than the position of following.
 */
export function isMissed({ createdAt }: ChangeLine, followedThrough: string | undefined): boolean {
  if (followedThrough === undefined) return false
  const created = parseTimestamp(createdAt)
  return created === undefined || toMilliseconds(created) <= Date.parse(followedThrough)
}

/** Adds a customer's changes to the part and to its counts. */
export async function writeChanges(
  writer: PartWriter,
  counts: ChangeCounts,
  lines: readonly ChangeLine[],
): Promise<void> {
  for (const { kind } of lines) counts[kind]++
  await writer.addChanges(await encodeLines(lines.map(({ line }) => line)))
}
