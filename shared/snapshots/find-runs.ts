import { fromMetadata } from './finish-run.ts'
import { dateFolder, datesFolder, manifestBlob, partitionValue, snapshotIdPattern, toSnapshotId } from './layout.ts'
import type { SnapshotReader } from './reader.ts'
import { type Manifest, type Snapshot, status } from './shapes.ts'
import type { Store } from './store.ts'

export type FinishedRun = Snapshot & { partial: boolean }

export type FindRuns = {
  /** Ids of the runs that have a folder, newest first, from `before` on (exclusive) or from `atMost` on (inclusive). */
  ids: (from: { before?: string; atMost?: string }) => AsyncGenerator<string>
  /** The same, oldest first, after `after` (exclusive). */
  idsAfter: (after: string) => AsyncGenerator<string>
  /** A finished run; undefined while it runs, and for a folder that never became one. */
  finished: (snapshotId: string) => Promise<FinishedRun | undefined>
  /** The newest finished run over all customers; undefined before there is one. */
  newest: () => Promise<string | undefined>
}

/** True for a run over all customers that did not fail: one that changes are found against. */
export const isWhole = ({ status, partial }: FinishedRun): boolean => status !== 'failed' && !partial

/** Finds runs by the folders of the container: dates first, then the runs of a date. */
export function createFindRuns(store: Store, reader: SnapshotReader): FindRuns {
  const sorted = async (folder: string): Promise<string[]> =>
    (await Array.fromAsync(store.listFolders(folder))).map(partitionValue).sort()

  const dates = () => sorted(datesFolder)
  const runsOf = async (date: string) => (await sorted(dateFolder(date))).filter(id => snapshotIdPattern.test(id))
  const dateOf = (snapshotId: string) => `${snapshotId.slice(0, 4)}-${snapshotId.slice(4, 6)}-${snapshotId.slice(6, 8)}`

  const found: FindRuns = {
    async *ids({ before, atMost }) {
      const limit = before ?? atMost
      for (const date of (await dates()).reverse()) {
        if (limit !== undefined && date > dateOf(limit)) continue
        for (const id of (await runsOf(date)).reverse()) {
          if ((before === undefined || id < before) && (atMost === undefined || id <= atMost)) yield id
        }
      }
    },
    async *idsAfter(after) {
      for (const date of await dates()) {
        if (date < dateOf(after)) continue
        for (const id of await runsOf(date)) if (id > after) yield id
      }
    },
    async finished(snapshotId) {
      const info = await store.head(manifestBlob(snapshotId))
      if (info === undefined) return undefined
      if (status.safeParse(info.metadata.status).success) return fromMetadata(snapshotId, info)
      // A manifest that was copied here without its metadata says the same in its text.
      const manifest = await reader.readManifest(snapshotId)
      return manifest && { ...withoutLists(manifest), partial: false }
    },
    async newest() {
      for await (const id of found.ids({})) {
        const run = await found.finished(id)
        if (run !== undefined && isWhole(run)) return id
      }
      return undefined
    },
  }
  return found
}

const withoutLists = ({ parts: _, failures: __, path: ___, error: ____, ...snapshot }: Manifest): Snapshot => snapshot

/** The newest id that a run started at or before `instant` can have. */
export const newestIdAt = (instant: number): string => toSnapshotId(instant)
