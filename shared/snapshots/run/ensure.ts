import { isAppError } from '../../errors.ts'
import { inOrder } from '../../runtime/in-order.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import type { CurrentRun } from '../storage/current-run.ts'
import { type FindRuns, isWhole } from '../storage/find-runs.ts'
import { manifestBlob, partNumber } from '../storage/layout.ts'
import { type FinishedRun, toSnapshot } from '../storage/manifest-metadata.ts'
import { dataBlob, followers } from '../storage/part-blobs.ts'
import { followersOf } from '../storage/part-metadata.ts'
import type { PartQueue } from '../storage/part-queue.ts'
import { rollForward } from '../storage/part-writer.ts'
import type { Plan } from '../storage/plan-blob.ts'
import type { SnapshotReader } from '../storage/reader.ts'
import type { Current, Failure, Status } from '../storage/shapes.ts'
import { isUnreadable } from '../storage/storage-errors.ts'
import type { BlobInfo, Store } from '../storage/store.ts'
import { type createWriteManifest, logEnd, moveLatest } from './manifest.ts'

/** The progress of a run. */
export type Progress =
  | { ended: true }
  | { ended: false; run: Current; plan: Plan | undefined; openParts: number[]; committed: number }

export type Ensure = {
  /**
   * Takes a run as far towards its end as the stored blobs allow. It completes every committed part. When all parts are
   * complete, it writes the manifest, moves `latest.json` and logs the end. Any worker may call it at any time, any
   * number of times.
   */
  ensure: (snapshotId: string, operation: OperationContext) => Promise<Progress>
  /** Ends a run early. All early ends use this function. Parts without a commit are recorded as failed. */
  stop: (snapshotId: string, reason: Failure, operation: OperationContext) => Promise<void>
}

type Options = {
  store: Store
  queue: PartQueue
  reader: SnapshotReader
  runs: FindRuns
  currentRun: CurrentRun
  writeManifest: ReturnType<typeof createWriteManifest>
  /** Deletes following runs that no later run needs. */
  deleteOldFollowing: (operation: OperationContext) => Promise<void>
  /** Commits a part whose customers all failed for the same reason. */
  failPart: (plan: Plan, part: number, reason: Failure) => Promise<void>
}

/** The most parts in progress at a time. */
const concurrency = 16

export function createEnsure({
  store,
  queue,
  reader,
  runs,
  currentRun,
  writeManifest,
  deleteOldFollowing,
  failPart,
}: Options): Ensure {
  const forEach = async (parts: readonly number[], work: (part: number) => Promise<void>) => {
    for await (const _ of inOrder(parts, concurrency, work));
  }

  const listBy = async (prefix: string): Promise<Map<number, BlobInfo>> => {
    const found = new Map<number, BlobInfo>()
    for await (const info of store.list(prefix)) found.set(partNumber(info.name), info)
    return found
  }

  const listParts = async (plan: Plan): Promise<(BlobInfo | undefined)[]> => {
    const found = await listBy(dataBlob.prefixOf(plan))
    return plan.parts.map((_, part) => found.get(part))
  }

  /** Commits the missing blobs of the committed parts. */
  async function complete(plan: Plan, parts: readonly (BlobInfo | undefined)[]): Promise<void> {
    const present = new Map(
      await Promise.all(
        followers(plan).map(async ({ kind, prefixOf }) => [kind, await listBy(prefixOf(plan))] as const),
      ),
    )
    const missingOf = (part: number) =>
      followersOf(plan, parts[part]?.metadata ?? {}).filter(({ kind }) => !present.get(kind)?.has(part))
    const undone = parts.flatMap((info, part) => (info !== undefined && missingOf(part).length > 0 ? [part] : []))
    await forEach(undone, part => rollForward(store, { run: plan, part }, parts[part]?.metadata ?? {}, missingOf(part)))
  }

  /** Does what remains after the manifest is written. */
  async function settle(run: Current, manifest: BlobInfo, operation: OperationContext): Promise<void> {
    const finished = await runs.finished(run.snapshotId, manifest).catch((error): FinishedRun | undefined => {
      if (!isUnreadable(error)) throw error
      operation.log('error', 'manifest_unreadable', { snapshotId: run.snapshotId, why: error.message })
      return undefined
    })
    if (finished !== undefined) {
      await moveLatest(store, finished).catch(error => {
        if (!isUnreadable(error)) throw error
        operation.log('error', 'latest_not_moved', { snapshotId: run.snapshotId, why: error.message })
      })
      logEnd(toSnapshot(finished), manifest.metadata.errorcode, run.following === true, operation)
      if (isWhole(finished)) await deleteOldFollowing(operation)
    }
    await markEnded(run, finished?.status ?? 'failed')
  }

  /** Writes the end of the run. If the timer's run waits for this one, its message is sent first. */
  async function markEnded({ nonce, snapshotId }: Current, ended: Status): Promise<void> {
    for (let isSent = false; ; ) {
      const { current, etag } = await currentRun.read()
      if (current?.nonce !== nonce || current.ended !== undefined) return
      const leavesTheDayOpen = ended === 'failed' || current.customers !== undefined
      if (current.timerWaits === true && leavesTheDayOpen && !isSent) {
        // If `current.json` cannot be written, each try to end the run would send another message. This write tests it.
        if (!(await currentRun.replace(current, etag))) continue
        await queue.send({ kind: 'start', behind: snapshotId })
        isSent = true
        continue
      }
      if (await currentRun.replace({ ...current, ended }, etag)) return
    }
  }

  /** The plan and the committed parts of a stopped run, after the other parts are recorded as failed. */
  async function endParts(
    run: Current,
    operation: OperationContext,
  ): Promise<{ plan: Plan | undefined; parts: BlobInfo[] }> {
    let plan: Plan | undefined
    try {
      plan = await reader.readPlan(run)
      if (plan === undefined) return { plan, parts: [] }
      const { stop = { code: 'snapshot_failed', message: 'The run was ended.' } } = run
      const known = plan
      const before = await listParts(known)
      await forEach(
        before.flatMap((info, part) => (info === undefined ? [part] : [])),
        part => failPart(known, part, stop),
      )
      const parts = await listParts(known)
      await complete(known, parts)
      return { plan, parts: parts.filter(info => info !== undefined) }
    } catch (error) {
      // An unreadable blob must not prevent the end of this run, because that would block the next one.
      if (!isUnreadable(error)) throw error
      operation.log('error', 'snapshot_unreadable', { snapshotId: run.snapshotId, why: error.message })
      const parts = plan === undefined ? [] : await listParts(plan)
      return { plan, parts: parts.filter(info => info !== undefined) }
    }
  }

  const ensure: Ensure['ensure'] = async (snapshotId, operation) => {
    const { current: run } = await currentRun.read()
    if (run?.snapshotId !== snapshotId || run.ended !== undefined) return { ended: true }
    const finish = async (plan: Plan | undefined, parts: readonly BlobInfo[]): Promise<Progress> => {
      await writeManifest(run, plan, parts, operation)
      const written = await store.head(manifestBlob(run))
      if (written === undefined) throw new Error(`The manifest of ${snapshotId} was neither written nor there`)
      await settle(run, written, operation)
      return { ended: true }
    }
    const manifest = await store.head(manifestBlob(run))
    if (manifest !== undefined) {
      await settle(run, manifest, operation)
      return { ended: true }
    }
    if (run.stop !== undefined) {
      const { plan, parts } = await endParts(run, operation)
      return finish(plan, parts)
    }
    const plan = await reader.readPlan(run)
    if (plan === undefined) return { ended: false, run, plan, openParts: [], committed: 0 }
    const parts = await listParts(plan)
    await complete(plan, parts)
    const committed = parts.filter(info => info !== undefined)
    if (committed.length === parts.length) return finish(plan, committed)
    const openParts = parts.flatMap((info, part) => (info === undefined ? [part] : []))
    return { ended: false, run, plan, openParts, committed: committed.length }
  }

  const stop: Ensure['stop'] = async (snapshotId, reason, operation) => {
    const { current } = await currentRun.read()
    if (current?.snapshotId !== snapshotId || current.ended !== undefined) return
    const run = await currentRun.change(current.nonce, ({ stop, ended }) =>
      stop === undefined && ended === undefined ? { stop: reason } : undefined,
    )
    if (run?.stop !== undefined && run.ended === undefined) {
      operation.log('error', 'snapshot_stopped', { snapshotId, ...run.stop })
    }
    await ensure(snapshotId, operation)
  }

  return {
    async ensure(snapshotId, operation) {
      try {
        return await ensure(snapshotId, operation)
      } catch (error) {
        // The run cannot be completed, for example because staged blocks expired. It can be ended.
        if (!isAppError(error) || !isUnreadable(error)) throw error
        await stop(snapshotId, { code: error.code, message: error.message }, operation)
        return { ended: true }
      }
    },
    stop,
  }
}
