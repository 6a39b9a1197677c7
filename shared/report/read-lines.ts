import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { z } from 'zod'
import { isAppError } from '../errors.ts'
import { toOrderLines } from '../orders/order-lines.ts'
import { inOrder } from '../runtime/in-order.ts'
import type { ReadRun } from '../snapshots/reading/read-run.ts'
import { linesFolder } from '../snapshots/storage/layout.ts'
import type { FinishedRun } from '../snapshots/storage/manifest-metadata.ts'
import type { SnapshotReader } from '../snapshots/storage/reader.ts'
import { corrupt } from '../snapshots/storage/storage-errors.ts'
import type { BlobInfo, Store } from '../snapshots/storage/store.ts'
import type { LineRow } from './line-figures.ts'

type Options = { store: Store; reader: SnapshotReader; readRun: ReadRun }

/** The files to read ahead, and the size up to which one call reads a whole file. */
const filesAhead = 4
const smallBytes = 1024 * 1024

/** The rows in memory at a time. */
const rowsAtOnce = 2048

const columns = [
  'customerTenantId',
  'orderId',
  'orderStatus',
  'billingCycle',
  'currencyCode',
  'totalPrice',
  'orderedAt',
  'quantity',
]

const known = <T extends z.ZodType>(schema: T) => schema.nullish().transform(value => value ?? undefined)

const rowsSchema = z.array(
  z.object({
    customerTenantId: z.string(),
    orderId: z.string(),
    orderStatus: known(z.string()),
    billingCycle: known(z.string()),
    currencyCode: known(z.string()),
    totalPrice: known(z.number()),
    orderedAt: known(z.date().transform(date => date.getTime())),
    quantity: known(z.number()).transform(quantity => quantity ?? 0),
  }),
)

const toArrayBuffer = (body: Buffer): ArrayBuffer => new Uint8Array(body).buffer

async function openFile(store: Store, { name, bytes }: BlobInfo): Promise<AsyncBuffer> {
  const read = async (offset: number, length: number): Promise<ArrayBuffer> => {
    const stored = await store.read(name, { offset, length })
    if (stored?.body.length !== length) throw corrupt(name)
    return toArrayBuffer(stored.body)
  }
  if (bytes <= smallBytes) return read(0, bytes)
  return { byteLength: bytes, slice: (start, end = bytes) => read(start, end - start) }
}

/** Reads the rows of a run's Parquet files, some at a time. */
async function* readFiles(store: Store, run: FinishedRun): AsyncGenerator<LineRow[]> {
  const files = await Array.fromAsync(store.list(`${linesFolder(run)}part-`))
  const opened = inOrder(files, filesAhead, async info => ({ name: info.name, file: await openFile(store, info) }))
  for await (const { name, file } of opened) {
    try {
      const metadata = await parquetMetadataAsync(file)
      const count = Number(metadata.num_rows)
      for (let rowStart = 0; rowStart < count; rowStart += rowsAtOnce) {
        const rowEnd = Math.min(count, rowStart + rowsAtOnce)
        yield rowsSchema.parse(await parquetReadObjects({ file, metadata, columns, rowStart, rowEnd }))
      }
    } catch (cause) {
      throw isAppError(cause) ? cause : corrupt(name, cause)
    }
  }
}

/** Reads the rows from the orders: runs of earlier versions and runs over some customers have no Parquet files. */
async function* readOrders(readRun: ReadRun, manifest: Parameters<ReadRun['read']>[0]): AsyncGenerator<LineRow[]> {
  let from = { part: 0, order: 0 }
  for (;;) {
    const stretch = await readRun.read(manifest, from)
    if (stretch === undefined) return
    for await (const { head, json } of stretch.orders) {
      yield toOrderLines({ json }, head.customerTenantId).map(({ orderedAt, ...line }) => ({
        ...line,
        orderedAt: orderedAt === undefined ? undefined : Date.parse(orderedAt),
      }))
    }
    from = stretch.next
  }
}

/** Reads the order lines of a run, some at a time. Rejects with `snapshot_corrupt` if a blob is damaged. */
export async function* readLines({ store, reader, readRun }: Options, run: FinishedRun): AsyncGenerator<LineRow[]> {
  if (run.hasLines) return yield* readFiles(store, run)
  const manifest = await reader.readManifest(run)
  if (manifest !== undefined) yield* readOrders(readRun, manifest)
}
