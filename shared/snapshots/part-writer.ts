import { createHash, randomBytes } from 'node:crypto'
import { emptyMember } from './codec.ts'
import { changesBlob, indexBlob, partBlob } from './layout.ts'
import { type Index, isRead, type PartCounts } from './shapes.ts'
import type { BlobInfo, Store } from './store.ts'

/** Why a part was ended from outside; whoever finishes the run finds it in the part's metadata. */
export type EndReason = { code: string; message: string }

export type PartWriter = {
  /** Adds a customer's member and returns where in the part it stands. */
  addCustomer: (member: Buffer) => Promise<{ offset: number; length: number }>
  addChanges: (member: Buffer) => Promise<void>
  /**
   * Decides the part: from here on it is this attempt's, or that of whoever was first. Then makes index and changes of
   * the decided attempt appear.
   */
  commit: (index: Index, changes: ChangeCounts, end?: EndReason) => Promise<void>
}

export type ChangeCounts = Pick<PartCounts, 'created' | 'updated' | 'removed'>

/** Bytes that are gathered before they are sent as a block. */
const blockBytes = 4 * 1024 * 1024

const gzipType = 'application/gzip'

/** Sends bytes to a blob in blocks that stay invisible until they are committed. */
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
    get bytes() {
      return bytes
    },
    get blocks() {
      return blocks
    },
    sha256: () => hash.digest('hex'),
  }
}

/** All ids of a blob's blocks have to be of one length. */
const blockId = (attempt: string, block: number): string => `${attempt}-${String(block).padStart(6, '0')}`

const blockIds = (attempt: string, blocks: number): string[] =>
  Array.from({ length: blocks }, (_, block) => blockId(attempt, block))

/**
 * Writes one part, its index and its changes. All three are staged first; committing the part is the one decision, and
 * its metadata says which attempt's index and changes belong to it. So whatever is delivered twice, runs twice at once
 * or dies between two writes leaves no index that does not fit its part. `withChanges` is false for runs over some
 * customers only.
 */
export function createPartWriter(store: Store, snapshotId: string, part: number, withChanges: boolean): PartWriter {
  const attempt = randomBytes(4).toString('hex')
  const data = createStaging(store, partBlob(snapshotId, part), attempt)
  const changes = createStaging(store, changesBlob(snapshotId, part), attempt)
  const index = createStaging(store, indexBlob(snapshotId, part), attempt)

  return {
    async addCustomer(member) {
      return { offset: await data.add(member), length: member.length }
    },
    async addChanges(member) {
      await changes.add(member)
    },
    async commit(content, changeCounts, end) {
      if (data.bytes === 0) await data.add(await emptyMember())
      if (changes.bytes === 0) await changes.add(await emptyMember())
      await index.add(Buffer.from(JSON.stringify(content)))
      await Promise.all([data.flush(), index.flush(), withChanges ? changes.flush() : undefined])

      const read = content.customers.filter(isRead)
      const counts: PartCounts = {
        orders: read.reduce((sum, { orders }) => sum + orders, 0),
        read: read.length,
        failed: content.customers.length - read.length,
        ...changeCounts,
      }
      const metadata: Record<string, string> = {
        attempt,
        indexblocks: String(index.blocks),
        changesblocks: String(withChanges ? changes.blocks : 0),
        sha256: data.sha256(),
        ...Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, String(count)])),
        ...(end === undefined ? {} : { endcode: end.code, endmessage: encodeURIComponent(end.message) }),
      }
      const ids = blockIds(attempt, data.blocks)
      await store.commit(partBlob(snapshotId, part), ids, { metadata, contentType: gzipType })
      // Ours or another's: what is there now is the part, also if the answer to our own commit got lost.
      const decided = await store.head(partBlob(snapshotId, part))
      if (decided === undefined) throw new Error(`Part ${part} of ${snapshotId} was neither committed nor taken`)
      await rollForward(store, snapshotId, part, decided)
    },
  }
}

/** Makes index and changes of a decided part appear, if they have not yet. Anybody may do so, any number of times. */
export async function rollForward(
  store: Store,
  snapshotId: string,
  part: number,
  { metadata }: BlobInfo,
): Promise<void> {
  const { attempt = '', indexblocks, changesblocks } = metadata
  const appear = async (name: string, blocks: number, contentType: string) => {
    if (await store.commit(name, blockIds(attempt, blocks), { contentType })) return
    if ((await store.head(name)) === undefined) throw new Error(`The blocks of ${name} are gone`)
  }
  await appear(indexBlob(snapshotId, part), Number(indexblocks), 'application/json')
  if (Number(changesblocks) > 0) await appear(changesBlob(snapshotId, part), Number(changesblocks), gzipType)
}

/** The counts in a part's metadata. */
export function partCounts({ metadata }: BlobInfo): PartCounts & { end: EndReason | undefined } {
  const count = (name: keyof PartCounts) => Number(metadata[name] ?? 0)
  const { endcode, endmessage } = metadata
  return {
    orders: count('orders'),
    read: count('read'),
    failed: count('failed'),
    created: count('created'),
    updated: count('updated'),
    removed: count('removed'),
    end: endcode === undefined ? undefined : { code: endcode, message: decodeURIComponent(endmessage ?? '') },
  }
}
