import { inOrder } from '../../in-order.ts'
import { dateFolder, dateOf, datesFolder, manifestBlob, partitionValue, snapshotIdPattern } from './layout.ts'
import { type FinishedRun, readManifestMetadata, withoutLists } from './manifest-metadata.ts'
import type { SnapshotReader } from './reader.ts'
import { isUnreadable } from './storage-errors.ts'
import type { BlobInfo, Store } from './store.ts'

export type FindRuns = {
  /** Ids of the runs that have a folder, newest first, not later than `atMost`. */
  ids: (atMost: string | undefined) => AsyncGenerator<string>
  /** The same, oldest first, after `after` (exclusive). */
  idsAfter: (after: string) => AsyncGenerator<string>
  /** Runs with what lies in their folders, newest first, before `before` (exclusive); one call for the runs of a date. */
  folders: (before: string | undefined, ahead: number) => AsyncGenerator<RunFolder>
  /** A finished run; undefined while it runs, and for a folder that never became one. */
  finished: (snapshotId: string, info?: BlobInfo) => Promise<FinishedRun | undefined>
  /** The newest finished run over all customers whose manifest can be read; undefined before there is one. */
  newest: () => Promise<string | undefined>
  /** The oldest date of which a run is kept. */
  oldestDate: () => Promise<string | undefined>
}

export type RunFolder = { snapshotId: string; manifest: BlobInfo | undefined; parts: BlobInfo[] }

/** True for a run over all customers that did not fail: one that changes are found against. */
export const isWhole = ({ status, partial }: FinishedRun): boolean => status !== 'failed' && !partial

/** Finds runs by the folders of the container: dates first, then the runs of a date. */
export function createFindRuns(store: Store, reader: SnapshotReader): FindRuns {
  const sorted = async (folder: string): Promise<string[]> =>
    (await Array.fromAsync(store.listFolders(folder))).map(partitionValue).sort()

  const dates = () => sorted(datesFolder)
  const runsOf = async (date: string) => (await sorted(dateFolder(date))).filter(id => snapshotIdPattern.test(id))

  /** The runs of a date, oldest first, by one walk through the names of what lies there. */
  async function foldersOf(date: string): Promise<RunFolder[]> {
    const folders = new Map<string, RunFolder>()
    for await (const info of store.list(dateFolder(date))) {
      const [, snapshotId = '', name = ''] = /\/run=([^/]+)\/([^/]+)$/.exec(info.name) ?? []
      if (!snapshotIdPattern.test(snapshotId)) continue
      const folder = folders.get(snapshotId) ?? { snapshotId, manifest: undefined, parts: [] }
      folders.set(snapshotId, folder)
      if (name === '_manifest.json') folder.manifest = info
      else if (name.startsWith('part-')) folder.parts.push(info)
    }
    return [...folders.values()].sort((a, b) => (a.snapshotId < b.snapshotId ? -1 : 1))
  }

  const found: FindRuns = {
    async *ids(atMost) {
      for (const date of (await dates()).reverse()) {
        if (atMost !== undefined && date > dateOf(atMost)) continue
        for (const id of (await runsOf(date)).reverse()) if (atMost === undefined || id <= atMost) yield id
      }
    },
    async *idsAfter(after) {
      for (const date of await dates()) {
        if (date < dateOf(after)) continue
        for (const id of await runsOf(date)) if (id > after) yield id
      }
    },
    async *folders(before, ahead) {
      const wanted = (await dates()).reverse().filter(date => before === undefined || date <= dateOf(before))
      for await (const folders of inOrder(wanted, ahead, foldersOf)) {
        for (const folder of folders.reverse()) if (before === undefined || folder.snapshotId < before) yield folder
      }
    },
    async finished(snapshotId, known) {
      const info = known ?? (await store.head(manifestBlob({ snapshotId })))
      if (info === undefined) return undefined
      const run = readManifestMetadata(snapshotId, info.metadata)
      if (run !== undefined) return run
      // A manifest that was copied here without its metadata says the same in its text.
      const manifest = await reader.readManifest({ snapshotId })
      return manifest && { ...withoutLists(manifest), partial: false, hasLines: false }
    },
    async newest() {
      for await (const id of found.ids(undefined)) {
        const run = await found.finished(id).catch(error => {
          if (!isUnreadable(error)) throw error
          return undefined
        })
        if (run !== undefined && isWhole(run)) return id
      }
      return undefined
    },
    async oldestDate() {
      return (await dates())[0]
    },
  }
  return found
}
