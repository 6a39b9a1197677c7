import type { Clock } from '../../runtime/clock.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import { readLatest } from '../storage/current-run.ts'
import {
  latestBlob,
  linesPathOf,
  manifestBlob,
  partName,
  partNumber,
  pathOf,
  type RunPlace,
} from '../storage/layout.ts'
import { completeThrough, type FinishedRun, writeManifestMetadata } from '../storage/manifest-metadata.ts'
import { addUp, endOf, haveLines, readPartMetadata } from '../storage/part-metadata.ts'
import { type Plan, plannedIn } from '../storage/plan-blob.ts'
import type { SnapshotReader } from '../storage/reader.ts'
import { type Current, type Failure, isFailed, type Manifest, type Snapshot } from '../storage/shapes.ts'
import { isUnreadable } from '../storage/storage-errors.ts'
import type { BlobInfo, Store } from '../storage/store.ts'

/** The most failures in a manifest. */
const maxFailures = 1000

const statusOf = (error: Failure | undefined, failed: number): 'failed' | 'completedWithErrors' | 'succeeded' => {
  if (error !== undefined) return 'failed'
  return failed > 0 ? 'completedWithErrors' : 'succeeded'
}

/** The failed customers, as far as their indexes can be read. */
async function readFailures(
  reader: SnapshotReader,
  run: RunPlace,
  parts: readonly BlobInfo[],
  operation: OperationContext,
) {
  const failures: Manifest['failures'] = []
  for (const { name, metadata } of parts) {
    if (failures.length >= maxFailures) break
    const part = partNumber(name)
    if (readPartMetadata(metadata).failed === 0) continue
    const index = await reader.readIndex(run, part).catch(error => {
      if (!isUnreadable(error)) throw error
      operation.log('error', 'failures_unknown', { snapshotId: run.snapshotId, part, why: error.message })
      return { customers: [] }
    })
    for (const entry of index.customers) {
      if (!isFailed(entry) || failures.length >= maxFailures) continue
      const { customerTenantId, customerName, error } = entry
      failures.push({ customerTenantId, ...(customerName === '' ? {} : { customerName }), ...error })
    }
  }
  return failures
}

type Options = { store: Store; reader: SnapshotReader; clock: Clock }

/**
 * Writes the manifest of a run from its parts, unless it exists. A run that was stopped before its plan has no parts.
 */
export function createWriteManifest({ store, reader, clock }: Options) {
  return async (
    run: Current,
    plan: Plan | undefined,
    parts: readonly BlobInfo[],
    operation: OperationContext,
  ): Promise<void> => {
    const { snapshotId, trigger, startedAt } = run
    const { read, failed, missed, ...sums } = addUp(parts)
    const noReading = { code: 'snapshot_failed', message: 'No customer could be read.' }
    // The run may be stopped after this function was called. The metadata of the parts then has the reason.
    const error = run.stop ?? endOf(parts) ?? (read === 0 ? noReading : undefined)
    const manifest: Manifest = {
      snapshotId,
      status: statusOf(error, failed),
      trigger,
      startedAt,
      finishedAt: new Date(clock.now()).toISOString(),
      asOf: startedAt,
      completeThrough: completeThrough(startedAt),
      customers: { planned: plannedIn(plan), read, failed },
      ...sums,
      ...(plan?.followedThrough === undefined ? {} : { missedByFollowing: missed }),
      path: pathOf(run),
      parts: parts.map(({ name, metadata, bytes }) => {
        const { orders, sha256 } = readPartMetadata(metadata)
        return { name: partName(partNumber(name)), orders, bytes, sha256 }
      }),
      failures: await readFailures(reader, run, parts, operation),
      ...(error === undefined ? {} : { error }),
    }
    const partial = run.customers !== undefined
    const hasLines = !partial && haveLines(parts)
    const { following, previous } = run
    const metadata = writeManifestMetadata(manifest, { partial, following, hasLines, previous })
    await store.write(manifestBlob(run), JSON.stringify(manifest), { absent: true, metadata })
  }
}

/** Moves `latest.json` forward to a finished run over all customers, never back. */
export async function moveLatest(store: Store, run: FinishedRun) {
  const { snapshotId, status, startedAt, finishedAt, partial, hasLines } = run
  if (status === 'failed' || partial) return
  const next = {
    snapshotId,
    path: pathOf(run),
    ...(hasLines ? { linesPath: linesPathOf(run) } : {}),
    asOf: startedAt,
    finishedAt: finishedAt ?? startedAt,
  }
  for (;;) {
    const { latest, etag } = await readLatest(store)
    if (latest !== undefined && latest.snapshotId >= snapshotId) return
    const condition = etag === undefined ? { absent: true } : { etag }
    if ((await store.write(latestBlob, JSON.stringify(next), condition)) !== false) return
  }
}

/** Log events that alerts use. A run that was cancelled on purpose has no alert. */
const endEvents = {
  running: ['error', 'snapshot_failed'],
  succeeded: ['info', 'snapshot_succeeded'],
  completedWithErrors: ['warn', 'snapshot_completed_with_errors'],
  failed: ['error', 'snapshot_failed'],
} as const

/** A failed following run is repeated by the next one, so it has no alert. */
const followingEvents = {
  running: ['warn', 'following_failed'],
  succeeded: ['info', 'following_succeeded'],
  completedWithErrors: ['warn', 'following_completed_with_errors'],
  failed: ['warn', 'following_failed'],
} as const

export function logEnd(run: Snapshot, code: string | undefined, following: boolean, operation: OperationContext): void {
  const [level, event] =
    code === 'snapshot_cancelled'
      ? (['warn', 'snapshot_cancelled'] as const)
      : (following ? followingEvents : endEvents)[run.status]
  if (run.missedByFollowing !== undefined && run.missedByFollowing > 0) {
    operation.log('warn', 'missed_by_following', { snapshotId: run.snapshotId, changes: run.missedByFollowing })
  }
  operation.log(level, event, { ...run, ...(code === undefined ? {} : { error: { code } }) })
}
