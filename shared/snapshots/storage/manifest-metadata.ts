import { z } from 'zod'
import { settlingMs } from '../../orders/settling.ts'
import { snapshotIdPattern } from './layout.ts'
import { type Manifest, type Snapshot, statusSchema, triggerSchema } from './shapes.ts'

export const completeThrough = (startedAt: string): string => new Date(Date.parse(startedAt) - settlingMs).toISOString()

/** A finished run, with the values that only the metadata of its manifest has. */
export type FinishedRun = Snapshot & {
  /** True for a run over some customers only. */
  partial: boolean
  /** True if the order lines exist. False for runs of earlier versions and for runs over some customers. */
  hasLines: boolean
  /** True for a following run, which reports changes although it reads some customers only. */
  following?: boolean | undefined
  /** Changes of a snapshot that following should have reported. Undefined if the log was not followed. */
  missedByFollowing?: number | undefined
  /** The newest run before this one that did not fail. Undefined for runs of earlier versions. */
  previous?: string | undefined
}

const count = z.coerce.number().int().nonnegative().catch(0)

const manifestMetadataSchema = z.object({
  status: statusSchema,
  trigger: triggerSchema,
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

/** The values of a manifest for the metadata of its blob, so that lists need not read the blob. */
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

/** A finished run from the metadata of its manifest. Undefined if the metadata are missing. */
export function readManifestMetadata(
  snapshotId: string,
  metadata: Readonly<Record<string, string>>,
): FinishedRun | undefined {
  const parsed = manifestMetadataSchema.safeParse(metadata)
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

/** The run as lists return it. */
export const toSnapshot = ({
  partial: _,
  hasLines: __,
  previous: ___,
  following: ____,
  ...snapshot
}: FinishedRun): Snapshot => snapshot
