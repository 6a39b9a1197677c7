import { inOrder } from '../../runtime/in-order.ts'
import {
  allChangesFolder,
  dateFolder,
  dateOf,
  datesFolder,
  followingFolder,
  manifestBlob,
  partitionValue,
  type RunPlace,
  snapshotIdPattern,
} from './layout.ts'
import { type FinishedRun, readManifestMetadata, withoutLists } from './manifest-metadata.ts'
import type { SnapshotReader } from './reader.ts'
import { isUnreadable } from './storage-errors.ts'
import type { BlobInfo, Store } from './store.ts'

export type FindRuns = {
  /** Runs with a folder, including following runs, newest first, not later than `atMost`. */
  places: (atMost: string | undefined) => AsyncGenerator<RunPlace>
  /** The same, and also runs of which only the changes exist, oldest first, after `after` (exclusive). */
  placesAfter: (after: string) => AsyncGenerator<KeptPlace>
  /** Following runs with a folder, newest first, not later than `atMost`. */
  readings: (atMost: string) => AsyncGenerator<RunPlace>
  /** Finished runs over all customers that did not fail, newest first. Unreadable runs are skipped. */
  whole: () => AsyncGenerator<string>
  /**
   * Runs with the blobs in their folders, newest first, before `before` (exclusive). One call reads the runs of a date.
   */
  folders: (before: string | undefined, ahead: number) => AsyncGenerator<RunFolder>
  /** A finished run. Undefined while it runs, and for a folder without a manifest. */
  finished: (snapshotId: string, info?: BlobInfo) => Promise<FinishedRun | undefined>
  /** The same for a run with a known place. */
  finishedAt: (place: RunPlace) => Promise<FinishedRun | undefined>
  /** The newest finished run of any kind that did not fail. Undefined if there is none. */
  newestOfAll: () => Promise<string | undefined>
  /** The newest finished run over all customers with a readable manifest. Undefined if there is none. */
  newest: () => Promise<string | undefined>
  /** The oldest date with a run. */
  oldestDate: () => Promise<string | undefined>
}

/** The place of a run. `onlyChanges` if only its changes exist. */
export type KeptPlace = RunPlace & { onlyChanges: boolean }

export type RunFolder = { snapshotId: string; manifest: BlobInfo | undefined; parts: BlobInfo[] }

/** True for a run over all customers that did not fail. It can be a baseline run. */
export const isWhole = ({ status, partial }: FinishedRun): boolean => status !== 'failed' && !partial

/** True for a run that reports changes. */
export const reportsChanges = ({ status, partial, following }: FinishedRun): boolean =>
  status !== 'failed' && (!partial || following === true)

/** Finds runs by the folders of the container: first the dates, then the runs of a date. */
export function createFindRuns(store: Store, reader: SnapshotReader): FindRuns {
  const sorted = async (folder: string): Promise<string[]> =>
    (await Array.fromAsync(store.listFolders(folder))).map(partitionValue).sort()

  const dates = () => sorted(datesFolder)
  const datesOf = async (roots: readonly string[]) => [...new Set((await Promise.all(roots.map(sorted))).flat())].sort()

  /** The ids of a date's runs, each with the roots that contain it, oldest first. */
  async function runsOf(date: string, roots: readonly string[]): Promise<[string, string[]][]> {
    const found = new Map<string, string[]>()
    const lists = await Promise.all(roots.map(root => sorted(dateFolder(date, root))))
    for (const [index, ids] of lists.entries()) {
      for (const id of ids) {
        if (snapshotIdPattern.test(id)) found.set(id, [...(found.get(id) ?? []), roots[index] ?? ''])
      }
    }
    return [...found].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  const toPlace = ([snapshotId, roots]: [string, string[]]): RunPlace =>
    roots.includes(datesFolder) ? { snapshotId } : { snapshotId, following: true }

  async function* placesIn(roots: readonly string[], atMost: string | undefined): AsyncGenerator<RunPlace> {
    // Most often there is a run on that date, so that the other dates need not be listed.
    if (atMost !== undefined) {
      for (const run of (await runsOf(dateOf(atMost), roots)).reverse()) if (run[0] <= atMost) yield toPlace(run)
    }
    for (const date of (await datesOf(roots)).reverse()) {
      if (atMost !== undefined && date >= dateOf(atMost)) continue
      for (const run of (await runsOf(date, roots)).reverse()) yield toPlace(run)
    }
  }

  /** Finished runs in these roots that `isWanted` accepts, newest first. */
  async function* finishedIn(roots: readonly string[], isWanted: (run: FinishedRun) => boolean) {
    for await (const place of placesIn(roots, undefined)) {
      const run = await read(place).catch(error => {
        if (!isUnreadable(error)) throw error
        return undefined
      })
      if (run !== undefined && isWanted(run)) yield run.snapshotId
    }
  }

  const first = async (ids: AsyncGenerator<string>): Promise<string | undefined> => {
    for await (const id of ids) return id
    return undefined
  }

  async function read(place: RunPlace, known?: BlobInfo): Promise<FinishedRun | undefined> {
    const info = known ?? (await store.head(manifestBlob(place)))
    if (info === undefined) return undefined
    const run = readManifestMetadata(place.snapshotId, info.metadata)
    if (run !== undefined) return run
    // A manifest that was copied without its metadata has the same values in its text.
    const manifest = await reader.readManifest(place)
    const following = place.following === true
    return manifest && { ...withoutLists(manifest), partial: following, following, hasLines: false }
  }

  /** The runs of a date, oldest first, from one listing of their blobs. */
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
    readings: atMost => placesIn([followingFolder], atMost),
    whole: () => finishedIn([datesFolder], isWhole),
    places: atMost => placesIn([datesFolder, followingFolder], atMost),
    async *placesAfter(after) {
      const roots = [datesFolder, followingFolder, allChangesFolder]
      for (const date of await datesOf(roots)) {
        if (date < dateOf(after)) continue
        for (const run of await runsOf(date, roots)) {
          const [id, [first]] = run
          if (id > after) yield { ...toPlace(run), onlyChanges: first === allChangesFolder }
        }
      }
    },
    async *folders(before, ahead) {
      const wanted = (await dates()).reverse().filter(date => before === undefined || date <= dateOf(before))
      for await (const folders of inOrder(wanted, ahead, foldersOf)) {
        for (const folder of folders.reverse()) if (before === undefined || folder.snapshotId < before) yield folder
      }
    },
    async finished(snapshotId, known) {
      if (known !== undefined) return read({ snapshotId, following: known.name.startsWith(followingFolder) }, known)
      return (await read({ snapshotId })) ?? read({ snapshotId, following: true })
    },
    finishedAt: place => read(place),
    newest: () => first(found.whole()),
    newestOfAll: () => first(finishedIn([datesFolder, followingFolder], ({ status }) => status !== 'failed')),
    async oldestDate() {
      return (await dates())[0]
    },
  }
  return found
}
