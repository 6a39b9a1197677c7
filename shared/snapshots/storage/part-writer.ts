import { createHash } from 'node:crypto'
import { blockId, newAttempt } from './block-ids.ts'
import { emptyMember } from './codec.ts'
import type { RunPlace } from './layout.ts'
import type { LineRow } from './line-columns.ts'
import { createLinesEncoder, type LinesEncoder } from './lines-encoder.ts'
import { type BlobKind, type BlobOfPart, dataBlob, followers } from './part-blobs.ts'
import { blocksOf, type ChangeCounts, followersOf, readPartMetadata, writePartMetadata } from './part-metadata.ts'
import { type Failure, type Index, isFailed, isGone, isRead } from './shapes.ts'
import { corrupt } from './storage-errors.ts'
import type { Store } from './store.ts'

export type PartWriter = {
  /** Adds a customer's member and returns its place in the part. */
  addCustomer: (member: Buffer) => Promise<{ offset: number; length: number }>
  addChanges: (member: Buffer) => Promise<void>
  /** Adds order lines. Rows are consumed one at a time. */
  addLines: (rows: Iterable<LineRow>) => Promise<void>
  /**
   * Commits the part. If another attempt was first, that attempt's blobs are used. Then commits the other blobs of the
   * committed attempt. `end` is the reason if the run is being ended.
   */
  commit: (index: Index, changes: ChangeCounts & { missed?: number }, end?: Failure) => Promise<void>
}

/** The run and number of a part. */
type PartPlace = { run: RunPlace & { partial: boolean }; part: number }

/** Bytes that are collected before they are sent as a block. */
const blockBytes = 4 * 1024 * 1024

/** Metadata of the changes of a following run. They stay when its other blobs are deleted. */
const followingMark = { following: 'true' }

const blockIds = (attempt: string, blocks: number): string[] =>
  Array.from({ length: blocks }, (_, block) => blockId(attempt, block))

/** Sends bytes to a blob in blocks, which are invisible until they are committed. */
function createStaging(store: Store, name: string, attempt: string) {
  const hash = createHash('sha256')
  let pending: Buffer[] = []
  let pendingBytes = 0
  let bytes = 0
  let blocks = 0

  async function flush(): Promise<void> {
    if (pendingBytes === 0) return
    const body = Buffer.concat(pending)
    pending = []
    pendingBytes = 0
    await store.stage(name, blockId(attempt, blocks++), body)
  }

  return {
    async add(piece: Buffer): Promise<number> {
      const offset = bytes
      if (piece.length === 0) return offset
      pending.push(piece)
      hash.update(piece)
      bytes += piece.length
      pendingBytes += piece.length
      if (pendingBytes >= blockBytes) await flush()
      return offset
    },
    flush,
    isEmpty: () => bytes === 0,
    blocks: () => blocks,
    sha256: () => hash.digest('hex'),
  }
}

/**
 * Writes one part. All its blobs are staged first. The commit of the data decides, and its metadata names the attempt
 * that owns the other blobs. A message that is delivered twice, two simultaneous workers, or a crash between two writes
 * therefore never leave an index that does not match its part.
 */
export function createPartWriter(store: Store, { run, part }: PartPlace): PartWriter {
  const attempt = newAttempt()
  const stagingOf = (blob: BlobOfPart) => createStaging(store, blob.nameOf(run, part), attempt)
  const data = stagingOf(dataBlob)
  const others = new Map(followers(run).map(blob => [blob.kind, stagingOf(blob)]))
  const lines = others.get('lines')
  let encoder: Promise<LinesEncoder> | undefined
  const encoding = () => {
    encoder ??= createLinesEncoder()
    return encoder
  }

  return {
    async addCustomer(member) {
      return { offset: await data.add(member), length: member.length }
    },
    async addChanges(member) {
      await others.get('changes')?.add(member)
    },
    async addLines(rows) {
      if (lines === undefined) return
      const { add } = await encoding()
      for (const row of rows) {
        const bytes = add(row)
        if (bytes.length > 0) await lines.add(bytes)
      }
    },
    async commit(content, changes, end) {
      await lines?.add((await encoding()).finish())
      await others.get('index')?.add(Buffer.from(JSON.stringify(content)))
      for (const staging of [data, ...others.values()]) if (staging.isEmpty()) await staging.add(await emptyMember())
      await Promise.all([data, ...others.values()].map(staging => staging.flush()))

      const read = content.customers.filter(isRead)
      const metadata = writePartMetadata(
        {
          attempt,
          sha256: data.sha256(),
          orders: read.reduce((sum, { orders }) => sum + orders, 0),
          read: read.length,
          failed: content.customers.filter(isFailed).length,
          gone: content.customers.filter(isGone).length,
          ...changes,
          firstid: content.customers[0]?.customerTenantId ?? '',
        },
        Object.fromEntries(Array.from(others, ([kind, staging]): [BlobKind, number] => [kind, staging.blocks()])),
        end,
      )
      const name = dataBlob.nameOf(run, part)
      const { contentType } = dataBlob
      const isOurs = await store.commit(name, blockIds(attempt, data.blocks()), { metadata, contentType })
      // Another attempt was first, or the response to this commit was lost and the commit repeated.
      const committed = isOurs ? metadata : (await store.head(name))?.metadata
      if (committed === undefined) throw corrupt(name)
      await rollForward(store, { run, part }, committed)
    },
  }
}

/**
 * Commits the missing blobs of a committed part. Any worker may call it, any number of times. A caller that has listed
 * the blobs passes the missing ones. Rejects with `snapshot_corrupt` if their blocks have expired.
 */
export async function rollForward(
  store: Store,
  { run, part }: PartPlace,
  metadata: Readonly<Record<string, string>>,
  missing: readonly BlobOfPart[] = followersOf(run, metadata),
): Promise<void> {
  const { attempt } = readPartMetadata(metadata)
  for (const { kind, contentType, nameOf } of missing) {
    const name = nameOf(run, part)
    const options = { contentType, ...(run.following === true ? { metadata: followingMark } : {}) }
    if (await store.commit(name, blockIds(attempt, blocksOf(metadata, kind)), options)) continue
    if ((await store.head(name)) === undefined) throw corrupt(name)
  }
}
