import { createHash } from 'node:crypto'
import { AppError } from '../../errors.ts'
import { decodeLines, type MemberHead, splitLine } from '../storage/codec.ts'
import { findLatest } from '../storage/current-run.ts'
import { type FindRuns, isWhole } from '../storage/find-runs.ts'
import { partBlob, toSnapshotId } from '../storage/layout.ts'
import { createMemory } from '../storage/memory.ts'
import { decodeMember, type SnapshotReader } from '../storage/reader.ts'
import { isRead, type Manifest, type ReadEntry } from '../storage/shapes.ts'
import { corrupt } from '../storage/storage-errors.ts'
import type { Store } from '../storage/store.ts'

/** The place of an order in a run: its part, and its number within the part. */
export type OrderPlace = { part: number; order: number }

export type StoredOrder = OrderPlace & { head: Pick<MemberHead, 'customerTenantId' | 'customerName'>; json: Buffer }

/** Orders that `callsFor` storage calls return, in the order of the run, and the place after them. */
type OrderBatch = { orders: AsyncIterable<StoredOrder> | Iterable<StoredOrder>; next: OrderPlace }

export type ReadRun = {
  /** The newest finished run over all customers at or before a time, or the newest of all. */
  find: (atMost: number | undefined) => Promise<Manifest>
  /** A finished run. Undefined if it was deleted. */
  get: (snapshotId: string) => Promise<Manifest | undefined>
  /** The next orders from a place on, as many as a few calls return. Undefined after the last one. */
  read: (run: Manifest, from: OrderPlace) => Promise<OrderBatch | undefined>
}

/** A part up to this size is read whole, which saves the call for its index. */
const smallBytes = 1024 * 1024

type Options = { store: Store; runs: FindRuns; reader: SnapshotReader }

const isSmall = (run: Manifest, part: number): boolean => (run.parts[part]?.bytes ?? 0) <= smallBytes

/** The most calls for the next orders. */
export const callsFor = (run: Manifest, { part }: OrderPlace): number => (isSmall(run, part) ? 1 : 2)

/** The first order at or after a place. Undefined if there is none. */
export function firstOrder(run: Manifest, { part, order }: OrderPlace): OrderPlace | undefined {
  if (order < (run.parts[part]?.orders ?? 0)) return { part, order }
  const after = run.parts.findIndex(({ orders }, number) => number > part && orders > 0)
  return after < 0 ? undefined : { part: after, order: 0 }
}

function* split(lines: readonly Buffer[], { part, order: first }: OrderPlace): Generator<StoredOrder> {
  for (const [at, line] of lines.slice(first).entries()) yield { part, order: first + at, ...splitLine(line) }
}

/** Reads all customers of one run in pieces of limited size. */
export function createReadRun({ store, runs, reader }: Options): ReadRun {
  const manifests = createMemory<Manifest>(2)
  const get: ReadRun['get'] = snapshotId => manifests(snapshotId, () => reader.readManifest({ snapshotId }))

  async function newest(): Promise<string | undefined> {
    const latest = await findLatest(store)
    return latest?.snapshotId ?? runs.newest()
  }

  /** Failed runs and runs over some customers name the run before them. */
  async function newestAt(atMost: number): Promise<string | undefined> {
    for await (const { snapshotId: id, following } of runs.places(toSnapshotId(atMost))) {
      if (following === true) continue
      const run = await runs.finished(id)
      if (run === undefined || Date.parse(run.startedAt) > atMost) continue
      if (isWhole(run)) return id
      const before = run.status === 'failed' ? run.previous : id
      const previous = before === undefined || before === id ? undefined : await runs.finished(before)
      if (previous !== undefined && isWhole(previous)) return before
      const base = before === undefined ? undefined : (await reader.readPlan({ snapshotId: before }))?.base
      if (base !== undefined) return base
    }
    return undefined
  }

  async function readWhole(run: Manifest, from: OrderPlace): Promise<OrderBatch> {
    const { part } = from
    const blob = partBlob(run, part)
    const stored = await store.read(blob)
    const expected = run.parts[part]?.sha256
    if (stored === undefined || createHash('sha256').update(stored.body).digest('hex') !== expected) throw corrupt(blob)
    const lines = await decodeLines(stored.body).catch(cause => {
      throw corrupt(blob, cause)
    })
    return { orders: split(lines, from), next: { part: part + 1, order: 0 } }
  }

  /** Reads some customers of a part that is too large to be read whole, at least one. */
  async function readSome(run: Manifest, { part, order: first }: OrderPlace): Promise<OrderBatch> {
    const blob = partBlob(run, part)
    const chosen: { entry: ReadEntry; order: number }[] = []
    let [order, bytes] = [0, 0]
    for (const entry of (await reader.readIndex(run, part)).customers.filter(isRead)) {
      if (bytes > 0 && bytes + entry.length > smallBytes) break
      if (order + entry.orders > first) {
        chosen.push({ entry, order })
        bytes += entry.length
      }
      order += entry.orders
    }
    const offset = chosen[0]?.entry.offset
    if (offset === undefined) return { orders: [], next: { part: part + 1, order: 0 } }
    const stored = await store.read(blob, { offset, length: bytes })
    if (stored?.body.length !== bytes) throw corrupt(blob)
    const { body } = stored
    async function* oneByOne(): AsyncGenerator<StoredOrder> {
      for (const { entry, order: before } of chosen) {
        const start = entry.offset - (offset ?? 0)
        const orders = await decodeMember(body.subarray(start, start + entry.length), entry, blob)
        for (const [at, json] of orders.entries()) {
          if (before + at >= first) yield { part, order: before + at, head: entry, json }
        }
      }
    }
    return { orders: oneByOne(), next: { part, order } }
  }

  return {
    get,
    async find(atMost) {
      const id = atMost === undefined ? await newest() : await newestAt(atMost)
      const manifest = id === undefined ? undefined : await get(id)
      if (manifest !== undefined) return manifest
      throw new AppError(
        'snapshot_not_found',
        atMost === undefined
          ? 'There is no finished snapshot of all customers. Take one with start-snapshot.'
          : 'There is no finished snapshot of all customers of that time or before. list-snapshots lists the snapshots.',
      )
    },
    async read(run, from) {
      const place = firstOrder(run, from)
      if (place === undefined) return undefined
      return isSmall(run, place.part) ? readWhole(run, place) : readSome(run, place)
    },
  }
}
