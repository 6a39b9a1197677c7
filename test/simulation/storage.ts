import { AppError } from '../../shared/errors.ts'
import type { BlobInfo, Store } from '../../shared/snapshots/storage/store.ts'
import type { Exchanges } from './exchange.ts'
import type { Faults } from './faults.ts'
import type { Process } from './process.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import { short, type Trace } from './trace.ts'

export type Blob = { body: Buffer; etag: string; metadata: Readonly<Record<string, string>> }

export type Damage = 'deleted' | 'cut off' | 'garbled' | 'archived'

export type Storage = {
  blobs: ReadonlyMap<string, Blob>
  /** Retention, a user or a broken disk changes or deletes a blob. */
  damage: (name: string, how: Damage) => void
  wasDamaged: (name: string) => boolean
  /** True times at which `pace.json` was damaged. */
  paceLosses: readonly number[]
  /** A blob cannot be written for some time, because it is leased. */
  lease: (name: string, minutes: number) => void
  endLease: () => void
  /** True if the blob was leased at some time since then. */
  wasLeased: (name: string, from: number) => boolean
  /** Called after a new version of a blob is written. */
  onWritten: (listener: (name: string, blob: Blob, before: Blob | undefined) => void) => void
  storeOf: (process: Process) => Store
}

type Options = { exchange: Exchanges; scheduler: Scheduler; random: Random; faults: Faults; trace: Trace }

export const unavailable = (): AppError =>
  new AppError('storage_unavailable', 'Storage cannot be reached (simulated).', { retryAfterSeconds: 30 })

const locked = (name: string): AppError =>
  new AppError('snapshot_blob_locked', `Storage refuses the blob ${name} (simulated).`, { target: name })

/** Uncommitted blocks expire a week after the last one (learn.microsoft.com/rest/api/storageservices/put-block). */
const blocksLiveMs = 7 * 86_400_000

/**
 * Processes die more often after these operations, because their decision is not visible elsewhere yet. The four blobs
 * of a part together have three times the weight of one decision.
 */
const weightOf = (operation: string, name: string): number => {
  if (operation === 'commit') return 9
  if (operation === 'write' && name !== 'pace.json') return 12
  return 1
}

/** A container with the conditional writes and uncommitted blocks of the service. */
export function createStorage({ exchange, scheduler, random, faults, trace }: Options): Storage {
  const blobs = new Map<string, Blob>()
  const staged = new Map<string, { blocks: Map<string, Buffer>; at: number }>()
  const listeners: ((name: string, blob: Blob, before: Blob | undefined) => void)[] = []
  const archived = new Set<string>()
  const damaged = new Set<string>()
  const paceLosses: number[] = []
  const leases = new Map<string, number>()
  let version = 0

  const info = (name: string, { body, etag, metadata }: Blob): BlobInfo => ({
    name,
    etag,
    bytes: body.length,
    metadata,
  })

  function put(name: string, body: Buffer, metadata: Record<string, string>): string {
    const before = blobs.get(name)
    const blob = { body, etag: `"${++version}"`, metadata: { ...metadata } }
    blobs.set(name, blob)
    staged.delete(name)
    for (const listener of listeners) listener(name, blob, before)
    return blob.etag
  }

  function blocksOf(name: string): Map<string, Buffer> {
    const found = staged.get(name)
    return found === undefined || scheduler.now() - found.at > blocksLiveMs ? new Map() : found.blocks
  }

  function stage(name: string, blockId: string, body: Buffer): void {
    staged.set(name, { blocks: blocksOf(name).set(blockId, body), at: scheduler.now() })
  }

  /** 409 `BlobAlreadyExists` and 400 `InvalidBlockList` are both false, as in the store. */
  function commit(name: string, blockIds: readonly string[], metadata: Record<string, string>): boolean {
    if (blobs.has(name)) return false
    const present = blocksOf(name)
    const blocks = blockIds.flatMap(id => present.get(id) ?? [])
    if (blocks.length < blockIds.length) return false
    put(name, Buffer.concat(blocks), metadata)
    return true
  }

  function storeOf(process: Process): Store {
    const ask = <T>(operation: string, name: string, act: () => T, describe: (value: T) => string): Promise<T> => {
      const isWrite = operation === 'write' || operation === 'commit' || operation === 'stage' || operation === 'remove'
      const say = (what: string) => trace.say(process.name, () => `${operation} ${short(name)}: ${what}`)
      return exchange(process, {
        weight: weightOf(operation, name),
        ...(faults.strikes('storage is slow') ? { thereMs: random.spread(100, 90_000) } : {}),
        effect() {
          if (faults.isOn('storage is down') || faults.strikes('storage refuses')) {
            say('refused')
            throw unavailable()
          }
          const isLeased = isWrite && (leases.get(name) ?? 0) > scheduler.now()
          if (isLeased || (operation === 'read' && archived.has(name))) {
            say('locked')
            throw locked(name)
          }
          const value = act()
          if (isWrite && faults.strikes('storage loses an answer')) {
            say(`${describe(value)}, and the answer is lost`)
            throw unavailable()
          }
          if (!isWrite || !faults.strikes('storage repeats a write')) {
            say(describe(value))
            return value
          }
          const again = act()
          say(`${describe(value)}, repeated by the client: ${describe(again)}`)
          return again
        },
      })
    }
    const found = (value: unknown): string => (value === undefined ? 'not there' : 'there')

    return {
      head: name =>
        ask(
          'head',
          name,
          () => {
            const blob = blobs.get(name)
            return blob && info(name, blob)
          },
          found,
        ),
      read: (name, range) =>
        ask(
          'read',
          name,
          () => {
            const blob = blobs.get(name)
            if (blob === undefined) return undefined
            const body = range === undefined ? blob.body : blob.body.subarray(range.offset, range.offset + range.length)
            return { body: Buffer.from(body), info: info(name, blob) }
          },
          found,
        ),
      write(name, text, { absent, etag, metadata = {} } = {}) {
        const body = Buffer.from(text)
        const act = (): string | false => {
          const present = blobs.get(name)
          if (absent && present !== undefined) return false
          if (etag !== undefined && present?.etag !== etag) return false
          return put(name, body, metadata)
        }
        return ask('write', name, act, value => (value === false ? 'condition not met' : 'written'))
      },
      stage(name, blockId, bytes) {
        const body = Buffer.from(bytes)
        return ask(
          'stage',
          name,
          () => stage(name, blockId, body),
          () => 'staged',
        )
      },
      commit: (name, blockIds, { metadata = {} } = {}) =>
        ask(
          'commit',
          name,
          () => commit(name, blockIds, metadata),
          value => (value ? 'committed' : 'conflict'),
        ),
      remove: name =>
        ask(
          'remove',
          name,
          () => void blobs.delete(name),
          () => 'removed',
        ),
      async *list(prefix) {
        const all = () => [...blobs].filter(([name]) => name.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1))
        const listed = await ask(
          'list',
          prefix,
          () => all().map(([name, blob]) => info(name, blob)),
          list => `${list.length}`,
        )
        yield* listed
      },
      async *listFolders(folder) {
        const below = () =>
          [...blobs.keys()].filter(name => name.startsWith(folder)).map(name => name.slice(folder.length))
        const folders = () =>
          new Set(below().flatMap(name => (name.includes('/') ? [name.slice(0, name.indexOf('/') + 1)] : [])))
        const names = await ask(
          'folders',
          folder,
          () => [...folders()].sort(),
          list => `${list.length}`,
        )
        for (const name of names) yield folder + name
      },
    }
  }

  return {
    blobs,
    damage(name, how) {
      const blob = blobs.get(name)
      if (blob === undefined) return
      trace.say('world', () => `${short(name)} is ${how}`)
      damaged.add(name)
      if (name === 'pace.json') paceLosses.push(scheduler.now())
      if (how === 'deleted') blobs.delete(name)
      else if (how === 'archived') archived.add(name)
      else {
        const half = blob.body.subarray(0, blob.body.length >> 1)
        const body =
          how === 'cut off' ? half : Buffer.concat([half, Buffer.alloc(blob.body.length - half.length, 0x7e)])
        blobs.set(name, { ...blob, body, etag: `"${++version}"` })
      }
    },
    wasDamaged: name => damaged.has(name),
    paceLosses,
    lease(name, minutes) {
      if (!blobs.has(name)) return
      trace.say('world', () => `${short(name)} is leased for ${minutes.toFixed(1)} minutes`)
      leases.set(name, scheduler.now() + minutes * 60_000)
    },
    endLease() {
      for (const [name, until] of leases) leases.set(name, Math.min(until, scheduler.now()))
    },
    wasLeased: (name, from) => (leases.get(name) ?? 0) >= from,
    onWritten: listener => listeners.push(listener),
    storeOf,
  }
}
