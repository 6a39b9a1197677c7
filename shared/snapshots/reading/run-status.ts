import { AppError, type ErrorCode, errorKinds } from '../../errors.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import type { CurrentRun } from '../storage/current-run.ts'
import type { FindRuns, RunFolder } from '../storage/find-runs.ts'
import { toSnapshot } from '../storage/manifest-metadata.ts'
import { dataBlob } from '../storage/part-blobs.ts'
import { addUp } from '../storage/part-metadata.ts'
import { plannedIn } from '../storage/plan-blob.ts'
import type { SnapshotReader } from '../storage/reader.ts'
import type { Current, Manifest, Snapshot } from '../storage/shapes.ts'
import { isUnreadable } from '../storage/storage-errors.ts'
import type { BlobInfo, Store } from '../storage/store.ts'

export type RunStatus = {
  /** The manifest of a finished run, or the present state of a running one. Rejects for a failed and an unknown run. */
  get: (snapshotId: string, operation: OperationContext) => Promise<{ running: Snapshot } | { manifest: Manifest }>
  /** Runs older than `before`, newest first, including the running one. */
  list: (top: number, before: string | undefined) => Promise<{ runs: Snapshot[]; hasMore: boolean }>
}

type Options = {
  store: Store
  reader: SnapshotReader
  runs: FindRuns
  currentRun: CurrentRun
  ensure: (snapshotId: string, operation: OperationContext) => Promise<unknown>
}

/** The most dates whose runs are read at a time. */
const mostAhead = 16

/** The error code for a failed run: that of its cause if the cause needs a person, otherwise `snapshot_failed`. */
const failureCode = (code: string | undefined): ErrorCode =>
  code !== undefined && code in errorKinds && errorKinds[code as ErrorCode].status === errorKinds.snapshot_failed.status
    ? (code as ErrorCode)
    : 'snapshot_failed'

export function createRunStatus({ store, reader, runs, currentRun, ensure }: Options): RunStatus {
  async function describeRunning(run: Current, parts: readonly BlobInfo[]): Promise<Snapshot> {
    const plan = await reader.readPlan(run)
    const { snapshotId, trigger, startedAt } = run
    const { read, failed, missed: _, ...sums } = addUp(plan === undefined ? [] : parts)
    const customers = { planned: plannedIn(plan), read, failed }
    return { snapshotId, status: 'running', trigger, startedAt, customers, ...sums }
  }

  async function describe({ snapshotId, manifest, parts }: RunFolder, current: Current | undefined) {
    const run = manifest && (await runs.finished(snapshotId, manifest))
    if (run !== undefined) return toSnapshot(run)
    return current?.snapshotId === snapshotId ? describeRunning(current, parts) : undefined
  }

  return {
    async get(snapshotId, operation) {
      const readManifest = async () =>
        (await reader.readManifest({ snapshotId })) ?? reader.readManifest({ snapshotId, following: true })
      const [first, { current }] = await Promise.all([readManifest(), currentRun.read()])
      let manifest = first
      if (current?.snapshotId === snapshotId && current.ended === undefined) {
        const parts = await Array.fromAsync(store.list(dataBlob.prefixOf(current)))
        const plan = manifest === undefined ? await reader.readPlan(current) : undefined
        const isComplete = plan !== undefined && parts.length >= plan.parts.length
        // A caller that learns the end of the run must find `latest.json` moved. A run whose workers died in its last
        // step must still end.
        if (manifest !== undefined || isComplete) await ensure(snapshotId, operation)
        manifest ??= await readManifest()
        if (manifest === undefined) return { running: await describeRunning(current, parts) }
      }
      if (manifest === undefined) {
        throw new AppError('snapshot_not_found', 'There is no such snapshot. list-snapshots lists the snapshots.')
      }
      if (manifest.status !== 'failed') return { manifest }
      const { code, message } = manifest.error ?? { code: undefined, message: 'The snapshot failed.' }
      const advice =
        code === 'snapshot_cancelled' ? '' : ' Fix the cause, then take a new snapshot with start-snapshot.'
      throw new AppError(failureCode(code), `${message}${advice}`)
    },

    async list(top, before) {
      const found: Snapshot[] = []
      const { current } = await currentRun.read()
      const folders = runs.folders(before, Math.min(mostAhead, top + 1))
      const listed = current?.following === true ? undefined : current?.snapshotId
      for await (const folder of withCurrent(folders, listed, before)) {
        const run = await describe(folder, current).catch(error => {
          // A damaged run does not hide the others. `get-snapshot` names the damaged blob.
          if (isUnreadable(error)) return undefined
          throw error
        })
        if (run === undefined) continue
        if (found.length === top) return { runs: found, hasMore: true }
        found.push(run)
      }
      return { runs: found, hasMore: false }
    },
  }
}

/** A run has no folder until its plan is written. It is inserted at its place in the order. */
async function* withCurrent(
  folders: AsyncGenerator<RunFolder>,
  current: string | undefined,
  before: string | undefined,
): AsyncGenerator<RunFolder> {
  let pending = current !== undefined && (before === undefined || current < before) ? current : undefined
  for await (const folder of folders) {
    const { snapshotId } = folder
    if (pending !== undefined && snapshotId <= pending) {
      if (snapshotId < pending) yield { snapshotId: pending, manifest: undefined, parts: [] }
      pending = undefined
    }
    yield folder
  }
  if (pending !== undefined) yield { snapshotId: pending, manifest: undefined, parts: [] }
}
