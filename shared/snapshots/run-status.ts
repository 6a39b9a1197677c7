import { AppError } from '../errors.ts'
import type { FindRuns } from './find-runs.ts'
import { addUp, type FinishRun, failureCode, listParts } from './finish-run.ts'
import { isCorrupt, type SnapshotReader } from './reader.ts'
import type { Current, Manifest, Snapshot } from './shapes.ts'
import type { Store } from './store.ts'

export type RunStatus = {
  /** The manifest of a finished run, or the run that is going on as it stands. Rejects for a failed and an unknown one. */
  get: (snapshotId: string) => Promise<{ running: Snapshot } | { manifest: Manifest }>
  /** Runs newest first, the one that is going on among them, older than `before`. */
  list: (top: number, before: string | undefined) => Promise<{ runs: Snapshot[]; hasMore: boolean }>
}

type Options = {
  store: Store
  reader: SnapshotReader
  runs: FindRuns
  readCurrent: () => Promise<Current | undefined>
  moveLatest: FinishRun['moveLatest']
}

export function createRunStatus({ store, reader, runs, readCurrent, moveLatest }: Options): RunStatus {
  async function describeRunning({ snapshotId, trigger, startedAt }: Current): Promise<Snapshot> {
    const plan = await reader.readPlan(snapshotId)
    const { read, failed, end: _, ...sums } = addUp(plan === undefined ? [] : await listParts(store, snapshotId))
    const planned = plan?.parts.reduce((sum, { customers }) => sum + customers, 0) ?? 0
    return { snapshotId, status: 'running', trigger, startedAt, customers: { planned, read, failed }, ...sums }
  }

  /** A finished run, or the one that is going on; undefined for a folder that is neither. */
  async function describe(snapshotId: string, current: Current | undefined): Promise<Snapshot | undefined> {
    const run = await runs.finished(snapshotId)
    if (run !== undefined) return withoutPartial(run)
    return current?.snapshotId === snapshotId ? describeRunning(current) : undefined
  }

  return {
    async get(snapshotId) {
      const [manifest, current] = await Promise.all([reader.readManifest(snapshotId), readCurrent()])
      if (manifest === undefined) {
        if (current?.snapshotId === snapshotId) return { running: await describeRunning(current) }
        throw new AppError('snapshot_not_found', 'There is no such snapshot. list-snapshots shows which there are.')
      }
      // Who is told that a run has ended finds latest.json moved, also if its worker has not come to that yet.
      if (current?.snapshotId === snapshotId) await moveLatest(manifest, current.customers !== undefined)
      if (manifest.status !== 'failed') return { manifest }
      const { code, message } = manifest.error ?? { code: undefined, message: 'The snapshot has failed.' }
      throw new AppError(failureCode(code), `${message} Mend the cause, then take a new snapshot with start-snapshot.`)
    },

    async list(top, before) {
      const found: Snapshot[] = []
      const current = await readCurrent()
      for await (const id of withCurrent(
        runs.ids(before === undefined ? {} : { before }),
        current?.snapshotId,
        before,
      )) {
        const run = await describe(id, current).catch(error => {
          // One damaged run does not hide the others; get-snapshot names the blob.
          if (isCorrupt(error)) return undefined
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

const withoutPartial = ({ partial: _, ...snapshot }: Snapshot & { partial: boolean }): Snapshot => snapshot

/** A run has no folder before its plan is written: it is put where it belongs. */
async function* withCurrent(
  ids: AsyncGenerator<string>,
  current: string | undefined,
  before: string | undefined,
): AsyncGenerator<string> {
  let pending = current !== undefined && (before === undefined || current < before) ? current : undefined
  for await (const id of ids) {
    if (pending !== undefined && id <= pending) {
      if (id < pending) yield pending
      pending = undefined
    }
    yield id
  }
  if (pending !== undefined) yield pending
}
