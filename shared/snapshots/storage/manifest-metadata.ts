import * as z from 'zod'
import { snapshotIdPattern } from './layout.ts'
import { type Manifest, type Snapshot, status, trigger } from './shapes.ts'

/** Orders younger than this may be missing (learn.microsoft.com/partner-center/developer/get-all-of-a-customer-s-orders). */
const settlingMs = 15 * 60 * 1000

export const completeThrough = (startedAt: string): string => new Date(Date.parse(startedAt) - settlingMs).toISOString()

/** A finished run, and what the manifest's metadata says of it beyond its text. */
export type FinishedRun = Snapshot & {
  /** True for a run over some customers only. */
  partial: boolean
  /** True if its order lines are there: not for runs of earlier versions, nor for one over some customers. */
  hasLines: boolean
  /** True for a reading between snapshots, which tells changes although it is partial. */
  following?: boolean | undefined
  /** Changes of a snapshot that following should have told; unknown where nobody followed. */
  missedByFollowing?: number | undefined
  /** The newest run before this one that ended without failing; unknown for runs of earlier versions. */
  previous?: string | undefined
}

const count = z.coerce.number().int().nonnegative().catch(0)

const manifestMetadata = z.object({
  status,
  trigger,
  startedat: z.iso.datetime(),
  finishedat: z.iso.datetime(),
  planned: count,
  read: count,
  failed: count,
  orders: count,
  bytes: count,
  created: count,
  updated: count,
  removed: count,
  partial: z.string().optional(),
  lines: z.string().optional(),
  following: z.string().optional(),
  missed: count.optional(),
  previous: z.string().regex(snapshotIdPattern).optional().catch(undefined),
})

/** A manifest in the metadata of its blob, so that lists need not read it. */
export function writeManifestMetadata(
  { status, trigger, startedAt, finishedAt, customers, orders, bytes, changes, missedByFollowing, error }: Manifest,
  { partial, following, hasLines, previous }: Pick<FinishedRun, 'partial' | 'following' | 'hasLines' | 'previous'>,
): Record<string, string> {
  const counts = { ...customers, orders, bytes, ...changes }
  return {
    status,
    trigger,
    startedat: startedAt,
    finishedat: finishedAt ?? '',
    partial: String(partial),
    lines: String(hasLines),
    ...(following === true ? { following: 'true' } : {}),
    ...(missedByFollowing === undefined ? {} : { missed: String(missedByFollowing) }),
    ...Object.fromEntries(Object.entries(counts).map(([name, number]) => [name, String(number)])),
    ...(previous === undefined ? {} : { previous }),
    ...(error === undefined ? {} : { errorcode: error.code }),
  }
}

/** A finished run from the metadata of its manifest; undefined if that is not there. */
export function readManifestMetadata(
  snapshotId: string,
  metadata: Readonly<Record<string, string>>,
): FinishedRun | undefined {
  const parsed = manifestMetadata.safeParse(metadata)
  if (!parsed.success) return undefined
  const {
    startedat,
    finishedat,
    planned,
    read,
    failed,
    created,
    updated,
    removed,
    partial,
    lines,
    following,
    missed,
    previous,
    ...rest
  } = parsed.data
  return {
    snapshotId,
    status: rest.status,
    trigger: rest.trigger,
    startedAt: startedat,
    finishedAt: finishedat,
    asOf: startedat,
    completeThrough: completeThrough(startedat),
    customers: { planned, read, failed },
    orders: rest.orders,
    bytes: rest.bytes,
    changes: { created, updated, removed },
    ...(missed === undefined ? {} : { missedByFollowing: missed }),
    partial: partial === 'true',
    hasLines: lines === 'true',
    following: following === 'true',
    previous,
  }
}

export const withoutLists = ({ parts: _, failures: __, path: ___, error: ____, ...snapshot }: Manifest): Snapshot =>
  snapshot

/** The run as lists show it. */
export const toSnapshot = ({
  partial: _,
  hasLines: __,
  previous: ___,
  following: ____,
  ...snapshot
}: FinishedRun): Snapshot => snapshot
