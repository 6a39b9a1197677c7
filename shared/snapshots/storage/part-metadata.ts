import { z } from 'zod'
import { type BlobKind, type BlobOfPart, followers } from './part-blobs.ts'
import type { Failure } from './shapes.ts'
import type { BlobInfo } from './store.ts'

const count = z.coerce.number().int().nonnegative().catch(0)

/** The metadata of a part's data blob. The totals of a run are added up from it, without reading the indexes. */
const partMetadataSchema = z.object({
  /** The attempt that was committed. The other blobs of the part have the same attempt. */
  attempt: z.string().catch(''),
  sha256: z.string().catch(''),
  orders: count,
  read: count,
  failed: count,
  gone: count,
  created: count,
  updated: count,
  removed: count,
  /** Changes that following should have reported before. */
  missed: count,
  /** The first tenant id of the part. Absent in parts of earlier versions. */
  firstid: z.string().optional().catch(undefined),
  /** The reason why the run was ended before the part was read. */
  endcode: z.string().optional().catch(undefined),
  endmessage: z.string().optional().catch(undefined),
})
export type PartMetadata = z.infer<typeof partMetadataSchema>

type PartCounts = Pick<PartMetadata, 'orders' | 'read' | 'failed' | 'gone' | 'created' | 'updated' | 'removed'>
export type ChangeCounts = Pick<PartCounts, 'created' | 'updated' | 'removed'>

type Metadata = Readonly<Record<string, string>>

export const readPartMetadata = (metadata: Metadata): PartMetadata => partMetadataSchema.parse(metadata)

/** The number of staged blocks of another blob of the part. */
export const blocksOf = (metadata: Metadata, kind: BlobKind): number => count.parse(metadata[`${kind}blocks`])

/**
 * The blobs that are committed after the data of this part: those of the run, without those that the version of the
 * part did not have.
 */
export const followersOf = (run: { partial: boolean }, metadata: Metadata): BlobOfPart[] =>
  followers(run).filter(({ kind, isRecent }) => isRecent !== true || `${kind}blocks` in metadata)

/** True if all of these parts have order lines. */
export const haveLines = (parts: readonly BlobInfo[]): boolean =>
  parts.every(({ metadata }) => followersOf({ partial: false }, metadata).some(({ kind }) => kind === 'lines'))

/** Metadata are ASCII and at most 8 KiB in total. */
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

/** The totals of a run, from the metadata of its parts. */
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

/** The reason why the run of these parts was ended, if it was. */
export function endOf(parts: readonly BlobInfo[]): Failure | undefined {
  for (const { metadata } of parts) {
    const { endcode, endmessage = '' } = readPartMetadata(metadata)
    if (endcode !== undefined) return { code: endcode, message: decodeURIComponent(endmessage) }
  }
  return undefined
}
