import { toOrderLines } from '../../orders/order-lines.ts'
import { decodeOrders } from '../storage/codec.ts'
import type { LineRow } from '../storage/line-columns.ts'
import type { PartWriter } from '../storage/part-writer.ts'
import type { Plan } from '../storage/plan-blob.ts'
import type { ReadEntry } from '../storage/shapes.ts'

function* toRows(orders: readonly Buffer[], snapshotId: string, reading: ReadEntry): Generator<LineRow> {
  const { customerTenantId, customerName, retrievedAt } = reading
  for (const json of orders) {
    for (const line of toOrderLines({ json }, customerTenantId, customerName)) {
      yield Object.assign(line, { retrievedAt, snapshotId })
    }
  }
}

/**
 * Adds the order lines of a customer to the part. They are decoded from the member that the part contains, so that they
 * cannot differ from it. Orders of customers that wait in the queue also need no memory.
 */
export async function writeLines(
  writer: PartWriter,
  { snapshotId, partial }: Plan,
  reading: ReadEntry,
  member: Buffer,
): Promise<void> {
  if (partial) return
  await writer.addLines(toRows(await decodeOrders(member), snapshotId, reading))
}
