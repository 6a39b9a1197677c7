import * as z from 'zod'
import { type BlobKind, type BlobOfPart, followers } from './part-blobs.ts'
import type { Failure } from './shapes.ts'
import type { BlobInfo } from './store.ts'

const count = z.coerce.number().int().nonnegative().catch(0)

/** What a part says of itself in its metadata, so that nobody has to read indexes to add up a run. */
const partMetadata = z.object({
  /** Whose blocks the part is made of, and so its other blobs. */
  attempt: z.string().catch(''),
  sha256: z.string().catch(''),
  orders: count,
  read: count,
  failed: count,
  gone: count,
  created: count,
  updated: count,
  removed: count,
  /** Changes that following should have told before. */
  missed: count,
  /** Its least tenant id; absent in parts of earlier versions. */
  firstid: z.string().optional().catch(undefined),
  /** Why its run was ended before somebody read the part. */
  endcode: z.string().optional().catch(undefined),
  endmessage: z.string().optional().catch(undefined),
})
export type PartMetadata = z.infer<typeof partMetadata>

export type PartCounts = Pick<PartMetadata, 'orders' | 'read' | 'failed' | 'gone' | 'created' | 'updated' | 'removed'>
export type ChangeCounts = Pick<PartCounts, 'created' | 'updated' | 'removed'>

type Metadata = Readonly<Record<string, string>>

export const readPartMetadata = (metadata: Metadata): PartMetadata => partMetadata.parse(metadata)

/** Blocks of one of the part's other blobs that wait to be committed. */
export const blocksOf = (metadata: Metadata, kind: BlobKind): number => count.parse(metadata[`${kind}blocks`])

/** The blobs that follow the decision of this part: those of its run, without what the version that wrote it did not have. */
export const followersOf = (run: { partial: boolean }, metadata: Metadata): BlobOfPart[] =>
  followers(run).filter(({ kind, isRecent }) => isRecent !== true || `${kind}blocks` in metadata)

/** True if each of these parts has its order lines. */
export const haveLines = (parts: readonly BlobInfo[]): boolean =>
  parts.every(({ metadata }) => followersOf({ partial: false }, metadata).some(({ kind }) => kind === 'lines'))

/** Metadata is ASCII and 8 KiB in all. */
const mostCharacters = 500

export const writePartMetadata = (
  part: Omit<PartMetadata, 'firstid' | 'endcode' | 'endmessage' | 'missed'> & { firstid: string; missed?: number },
  blocks: Partial<Record<BlobKind, number>>,
  end: Failure | undefined,
): Record<string, string> => ({
  ...Object.fromEntries(Object.entries(part).map(([name, value]) => [name, String(value)])),
  ...(end === undefined
    ? {}
    : { endcode: end.code, endmessage: encodeURIComponent(end.message.slice(0, mostCharacters)) }),
  ...Object.fromEntries(Object.entries(blocks).map(([kind, number]) => [`${kind}blocks`, String(number)])),
})

const summed = ['orders', 'read', 'failed', 'created', 'updated', 'removed', 'missed'] as const

/** Adds up a run from the metadata of its parts. */
export function addUp(parts: readonly BlobInfo[]) {
  const sum = { orders: 0, read: 0, failed: 0, created: 0, updated: 0, removed: 0, missed: 0, bytes: 0 }
  for (const { metadata, bytes } of parts) {
    const counts = readPartMetadata(metadata)
    sum.bytes += bytes
    for (const name of summed) sum[name] += counts[name]
  }
  const { orders, read, failed, missed, bytes, ...changes } = sum
  return { orders, bytes, read, failed, missed, changes }
}

/** Why the run of these parts was ended, if it was. */
export function endOf(parts: readonly BlobInfo[]): Failure | undefined {
  for (const { metadata } of parts) {
    const { endcode, endmessage = '' } = readPartMetadata(metadata)
    if (endcode !== undefined) return { code: endcode, message: decodeURIComponent(endmessage) }
  }
  return undefined
}
