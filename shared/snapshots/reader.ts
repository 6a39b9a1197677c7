import type { z } from 'zod'
import { AppError, isAppError } from '../errors.ts'
import { decodeOrders, hashOrders } from './codec.ts'
import { indexBlob, manifestBlob, partBlob, planBlob } from './layout.ts'
import {
  type Index,
  type IndexEntry,
  index as indexShape,
  isRead,
  type Manifest,
  manifest as manifestShape,
  type PlanTail,
  planTail,
  type ReadEntry,
} from './shapes.ts'
import type { Store } from './store.ts'

/** A customer's place in a run. */
export type Found = { snapshotId: string; part: number; entry: IndexEntry }

export type SnapshotReader = {
  /** The parts of a run; undefined if it was not planned. */
  readPlan: (snapshotId: string) => Promise<PlanTail | undefined>
  readIndex: (snapshotId: string, part: number) => Promise<Index>
  readManifest: (snapshotId: string) => Promise<Manifest | undefined>
  /** The customer's entry in a run, read or failed; undefined if the run did not plan the customer. */
  find: (snapshotId: string, customerTenantId: string) => Promise<Found | undefined>
  /** A customer's orders by one range read, checked against the index. */
  readOrders: (snapshotId: string, part: number, entry: ReadEntry) => Promise<Buffer[]>
}

export const corrupt = (blob: string, cause?: unknown): AppError =>
  new AppError(
    'snapshot_corrupt',
    `The blob ${blob} of the snapshot is missing or damaged. Restore an earlier version of it, or ask for another day.`,
    { target: blob, cause },
  )

export const isCorrupt = (error: unknown): error is AppError => isAppError(error) && error.code === 'snapshot_corrupt'

/** Indexes and plans never change once they are there; the last few are kept. */
function createMemory<T>(size: number) {
  const kept = new Map<string, T>()
  return async <U extends T | undefined>(key: string, read: () => Promise<U>): Promise<U> => {
    const known = kept.get(key)
    if (known !== undefined) {
      kept.delete(key)
      kept.set(key, known)
      return known as U
    }
    const value = await read()
    if (value === undefined) return value
    kept.set(key, value)
    const [oldest] = kept.keys()
    if (kept.size > size && oldest !== undefined) kept.delete(oldest)
    return value
  }
}

/** Reads runs back: a customer costs one index, kept for the next one, and one range of its part. */
export function createReader(store: Store): SnapshotReader {
  const plans = createMemory<PlanTail>(4)
  const indexes = createMemory<Index>(16)

  function parse<T>(schema: z.ZodType<T>, body: Buffer | string, blob: string): T {
    try {
      return schema.parse(JSON.parse(body.toString('utf8')))
    } catch (cause) {
      throw corrupt(blob, cause)
    }
  }

  const readPlan = (snapshotId: string): Promise<PlanTail | undefined> =>
    plans(snapshotId, async () => {
      const blob = planBlob(snapshotId)
      const info = await store.head(blob)
      if (info === undefined) return undefined
      const offset = Number(info.metadata.tailoffset)
      if (!Number.isSafeInteger(offset) || offset >= info.bytes) throw corrupt(blob)
      const tail = await store.read(blob, { offset, length: info.bytes - offset })
      return tail === undefined ? undefined : parse(planTail, `{${tail.body.toString('utf8')}`, blob)
    })

  const readIndex = (snapshotId: string, part: number): Promise<Index> =>
    indexes(`${snapshotId}/${part}`, async () => {
      const blob = indexBlob(snapshotId, part)
      const stored = await store.read(blob)
      if (stored === undefined) throw corrupt(blob)
      return parse(indexShape, stored.body, blob)
    })

  return {
    readPlan,
    readIndex,
    async readManifest(snapshotId) {
      const blob = manifestBlob(snapshotId)
      const stored = await store.read(blob)
      return stored === undefined ? undefined : parse(manifestShape, stored.body, blob)
    },
    async find(snapshotId, customerTenantId) {
      const plan = await readPlan(snapshotId)
      const part = plan?.parts.findLastIndex(({ firstId }) => firstId <= customerTenantId) ?? -1
      if (part < 0) return undefined
      const { customers } = await readIndex(snapshotId, part)
      const entry = customers.find(each => each.customerTenantId === customerTenantId)
      return entry === undefined ? undefined : { snapshotId, part, entry }
    },
    async readOrders(snapshotId, part, { offset, length, sha256, orders: count }) {
      if (length === 0) return []
      const blob = partBlob(snapshotId, part)
      const stored = await store.read(blob, { offset, length })
      if (stored?.body.length !== length) throw corrupt(blob)
      const orders = await decodeOrders(stored.body).catch(cause => {
        throw corrupt(blob, cause)
      })
      if (orders.length !== count || hashOrders(orders.map(json => ({ json }))) !== sha256) throw corrupt(blob)
      return orders
    },
  }
}

/** Follows a failed entry to the newest earlier run in which the customer was read; undefined if there is none. */
export async function lastRead(
  reader: SnapshotReader,
  found: Found | undefined,
): Promise<(Found & { entry: ReadEntry }) | undefined> {
  if (found === undefined) return undefined
  const { entry } = found
  if (isRead(entry)) return { ...found, entry }
  if (entry.lastRead === undefined || entry.lastRead >= found.snapshotId) return undefined
  return lastRead(reader, await reader.find(entry.lastRead, entry.customerTenantId))
}
