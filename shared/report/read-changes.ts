import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { z } from 'zod'
import { isAppError } from '../errors.ts'
import { parsedOrderLines } from '../orders/order-lines.ts'
import { changesBlob, partNumber, type RunPlace } from '../snapshots/storage/layout.ts'
import { dataBlob } from '../snapshots/storage/part-blobs.ts'
import { readPartMetadata } from '../snapshots/storage/part-metadata.ts'
import { changeKinds } from '../snapshots/storage/shapes.ts'
import { corrupt } from '../snapshots/storage/storage-errors.ts'
import type { Store } from '../snapshots/storage/store.ts'
import type { ChangeFigures, ChangeRow } from './figures.ts'

const mostRows = 25
const mostProducts = 4
const mostMembers = 6

/** The bytes of a changes blob that one call reads. */
const pieceBytes = 1024 * 1024

/** The longest line: two versions of one order, which can be megabytes. */
const mostLineBytes = 64 * 1024 * 1024

const changeSchema = z.object({
  kind: z.enum(changeKinds),
  customerTenantId: z.string(),
  customerName: z.string().default(''),
  orderId: z.string(),
  changedMembers: z.array(z.string()).default([]),
  order: z.unknown().optional(),
  previousOrder: z.unknown().optional(),
})

const newline = 0x0a

async function* piecesOf(store: Store, name: string): AsyncGenerator<Buffer> {
  for (let offset = 0; ; offset += pieceBytes) {
    const stored = await store.read(name, { offset, length: pieceBytes })
    if (stored === undefined) throw corrupt(name)
    yield stored.body
    if (stored.body.length < pieceBytes) return
  }
}

/** Reads the lines of a compressed blob. One line and one piece of the blob are in memory at a time. */
async function* linesOf(store: Store, name: string): AsyncGenerator<Buffer> {
  // Errors reject the loop over the text.
  const text = pipeline(piecesOf(store, name), createGunzip(), () => undefined)
  let pending: Buffer[] = []
  let bytes = 0
  for await (const piece of text as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = piece.indexOf(newline); end >= 0; end = piece.indexOf(newline, start)) {
      yield Buffer.concat([...pending, piece.subarray(start, end)])
      pending = []
      bytes = 0
      start = end + 1
    }
    pending.push(piece.subarray(start))
    bytes += piece.length - start
    if (bytes > mostLineBytes) throw new Error('A line is too long')
  }
}

const seatsOf = (lines: ReturnType<typeof parsedOrderLines>): number =>
  lines.reduce((sum, { quantity }) => sum + quantity, 0)

function toRow(line: Buffer): ChangeRow {
  const parsed = changeSchema.parse(JSON.parse(line.toString('utf8')))
  const { kind, customerTenantId, customerName, orderId, changedMembers } = parsed
  const [after, before] = [parsed.order, parsed.previousOrder].map(order => parsedOrderLines(order, customerTenantId))
  const named = (kind === 'removed' ? before : after) ?? []
  return {
    kind,
    customerTenantId,
    customerName,
    orderId,
    products: [...new Set(named.map(({ friendlyName, offerId }) => friendlyName ?? offerId))].slice(0, mostProducts),
    seatsBefore: seatsOf(before ?? []),
    seatsAfter: seatsOf(after ?? []),
    changedMembers: changedMembers.slice(0, mostMembers),
  }
}

const sizeOf = ({ seatsBefore, seatsAfter }: ChangeRow): number => Math.abs(seatsAfter - seatsBefore)

/** Sorts by size, then by customer and order, so that a run always has the same report. */
const compare = (a: ChangeRow, b: ChangeRow): number =>
  sizeOf(b) - sizeOf(a) || (`${a.customerTenantId}/${a.orderId}` < `${b.customerTenantId}/${b.orderId}` ? -1 : 1)

/** Adds up the changes of a run, part by part. Rejects with `snapshot_corrupt` if a blob is damaged. */
export async function readChanges(store: Store, run: RunPlace): Promise<ChangeFigures> {
  const counts = { created: 0, updated: 0, removed: 0 }
  let [customers, seats] = [0, 0]
  let largest: ChangeRow[] = []
  for await (const { name, metadata } of store.list(dataBlob.prefixOf(run))) {
    const { created, updated, removed } = readPartMetadata(metadata)
    if (created + updated + removed === 0) continue
    const blob = changesBlob(run, partNumber(name))
    let last = ''
    try {
      for await (const line of linesOf(store, blob)) {
        const row = toRow(line)
        counts[row.kind]++
        seats += row.seatsAfter - row.seatsBefore
        // The changes of a customer follow one another.
        if (row.customerTenantId !== last) customers++
        last = row.customerTenantId
        const smallest = largest[mostRows - 1]
        if (smallest === undefined || compare(row, smallest) < 0) {
          largest = [...largest, row].sort(compare).slice(0, mostRows)
        }
      }
    } catch (cause) {
      throw isAppError(cause) ? cause : corrupt(blob, cause)
    }
  }
  return { counts, customers, seats, largest }
}
