import { isAppError } from '../../errors.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import type { FindRuns } from '../storage/find-runs.ts'
import { changesFolder, linesFolder, manifestBlob, planBlob, runFolder } from '../storage/layout.ts'
import { dataBlob } from '../storage/part-blobs.ts'
import { readPartMetadata } from '../storage/part-metadata.ts'
import { readOthers } from '../storage/plan-blob.ts'
import type { SnapshotReader } from '../storage/reader.ts'
import { isRead } from '../storage/shapes.ts'
import type { Store } from '../storage/store.ts'

type Options = { store: Store; reader: SnapshotReader; runs: FindRuns }

/**
 * Deletes following runs that are older than the second newest snapshot. Their changes stay. A run also stays while it
 * has the newest reading of a customer that could not be read since.
 */
export function createDeleteOldFollowing({ store, reader, runs }: Options) {
  /** The newest two runs over all customers that did not fail. */
  async function newestTwo(): Promise<string[]> {
    const found: string[] = []
    for await (const snapshotId of runs.whole()) {
      found.push(snapshotId)
      if (found.length === 2) break
    }
    return found
  }

  /** The following runs that the newest snapshot names because it has no reading of a customer itself. */
  async function namedBy(snapshotId: string): Promise<Set<string>> {
    const named = new Set<string | undefined>()
    const plan = await reader.readPlan({ snapshotId })
    if (plan === undefined) return new Set()
    for (const { knownIn, readIn, toldIn } of await readOthers(store, plan)) {
      named.add(knownIn).add(readIn).add(toldIn)
    }
    let part = 0
    for await (const { metadata } of store.list(dataBlob.prefixOf(plan))) {
      const { failed, gone } = readPartMetadata(metadata)
      if (failed + gone > 0) {
        for (const entry of (await reader.readIndex(plan, part)).customers) {
          if (!isRead(entry)) named.add(entry.lastRead).add(entry.readIn)
        }
      }
      part++
    }
    return new Set([...named].filter(id => id !== undefined))
  }

  /**
   * The plan is deleted first, so that no reader starts on the run, and the manifest last. If the deletion is
   * interrupted, the next one completes it, and a run without a plan already counts as deleted.
   */
  async function deleteRun(snapshotId: string): Promise<void> {
    const place = { snapshotId, following: true }
    const run = await runs.finished(snapshotId)
    if (run?.status === 'failed') {
      for await (const { name } of store.list(changesFolder(place))) await store.remove(name)
    }
    for await (const { name } of store.list(linesFolder(place))) await store.remove(name)
    await store.remove(planBlob(place))
    for await (const { name } of store.list(runFolder(place))) {
      if (name !== manifestBlob(place)) await store.remove(name)
    }
    await store.remove(manifestBlob(place))
  }

  return async (operation: OperationContext): Promise<void> => {
    try {
      const [newest, second] = await newestTwo()
      if (newest === undefined || second === undefined) return
      const named = await namedBy(newest)
      for await (const { snapshotId } of runs.readings(second)) {
        if (!named.has(snapshotId)) await deleteRun(snapshotId)
      }
    } catch (error) {
      // The deletion is no part of the run. The next run repeats it.
      if (!isAppError(error)) throw error
      operation.log('warn', 'following_not_deleted', { why: error.message })
    }
  }
}
