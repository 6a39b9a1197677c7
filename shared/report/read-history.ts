import type { FindRuns } from '../snapshots/storage/find-runs.ts'
import type { FinishedRun } from '../snapshots/storage/manifest-metadata.ts'
import { isUnreadable } from '../snapshots/storage/storage-errors.ts'
import type { HistoryRun } from './figures.ts'

const runsShown = 30

/** Most folders that are read. Runs over some customers and runs without an end count, too. */
const mostFolders = 200

/** Dates whose runs are listed in parallel. */
const datesAhead = 8

const toHistory = ({ snapshotId, status, startedAt, finishedAt, customers, changes }: FinishedRun): HistoryRun => ({
  snapshotId,
  status,
  startedAt,
  durationMs: Math.max(0, Date.parse(finishedAt ?? startedAt) - Date.parse(startedAt)),
  failed: customers.failed,
  changes: changes.created + changes.updated + changes.removed,
})

/** The runs over all customers up to this one, oldest first. Runs with a damaged manifest are skipped. */
export async function readHistory(runs: FindRuns, run: FinishedRun): Promise<HistoryRun[]> {
  const history = run.partial ? [] : [toHistory(run)]
  let folders = 0
  for await (const { snapshotId, manifest } of runs.folders(run.snapshotId, datesAhead)) {
    if (history.length >= runsShown || ++folders > mostFolders) break
    const earlier = await (manifest && runs.finished(snapshotId, manifest))?.catch(error => {
      if (!isUnreadable(error)) throw error
      return undefined
    })
    if (earlier !== undefined && !earlier.partial) history.push(toHistory(earlier))
  }
  return history.reverse()
}
