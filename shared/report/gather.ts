import type { Clock } from '../runtime/clock.ts'
import { describeError } from '../runtime/log.ts'
import { type OperationContext, timeLimit, withDeadline } from '../runtime/operation.ts'
import type { ReadRun } from '../snapshots/reading/read-run.ts'
import type { FindRuns } from '../snapshots/storage/find-runs.ts'
import { type FinishedRun, toSnapshot } from '../snapshots/storage/manifest-metadata.ts'
import type { Plan } from '../snapshots/storage/plan-blob.ts'
import type { SnapshotReader } from '../snapshots/storage/reader.ts'
import { isUnreadable } from '../snapshots/storage/storage-errors.ts'
import type { Store } from '../snapshots/storage/store.ts'
import type { CredentialFigures, Figures, Missing } from './figures.ts'
import { createLineTally } from './line-figures.ts'
import { readChanges } from './read-changes.ts'
import { readFailures, readGone } from './read-failures.ts'
import { readHistory } from './read-history.ts'
import { readLines } from './read-lines.ts'

export type ReadCredential = (operation: OperationContext) => Promise<CredentialFigures>

export type GatherOptions = {
  store: Store
  reader: SnapshotReader
  runs: FindRuns
  readRun: ReadRun
  clock: Clock
  /** The state of the credential, where the app can read it. */
  readCredential?: ReadCredential | undefined
}

/** The report waits no longer for the vault. */
const credentialSeconds = 20

/**
 * Computes the figures of a run from its blobs, in bounded memory. A damaged blob leaves its part out, and the report
 * says so.
 */
export async function gather(options: GatherOptions, run: FinishedRun, operation: OperationContext): Promise<Figures> {
  const { store, reader, runs, clock } = options
  const { signal } = operation.deadline

  /** Returns a part of the figures, or says that it is missing because a blob is damaged. */
  async function unlessDamaged<T>(what: string, read: () => Promise<T>): Promise<T | Missing> {
    signal.throwIfAborted()
    try {
      return await read()
    } catch (error) {
      if (!isUnreadable(error)) throw error
      operation.log('warn', 'report_incomplete', { snapshotId: run.snapshotId, what, why: describeError(error) })
      return { missing: 'damaged' }
    }
  }

  async function addUpLines() {
    const tally = createLineTally(Date.parse(run.startedAt))
    for await (const rows of readLines(options, run)) {
      signal.throwIfAborted()
      for (const row of rows) tally.add(row)
    }
    return tally.finish()
  }

  async function findChanges(plan: Plan | undefined): Promise<Figures['changes']> {
    if (run.status === 'failed') return { missing: 'failed run' }
    if (run.partial && run.following !== true) return { missing: 'some customers' }
    if (plan !== undefined && plan.base === undefined) return { missing: 'first run' }
    return unlessDamaged('changes', () => readChanges(store, run))
  }

  /** If the state cannot be read, the report leaves it out. */
  async function inspectCredential(): Promise<CredentialFigures | undefined> {
    const { readCredential } = options
    if (readCredential === undefined) return undefined
    try {
      const limit = timeLimit(clock, credentialSeconds, operation.deadline)
      return await withDeadline(clock, limit, deadline => readCredential({ ...operation, deadline }))
    } catch (error) {
      operation.log('warn', 'report_incomplete', {
        snapshotId: run.snapshotId,
        what: 'credential',
        why: describeError(error),
      })
      return undefined
    }
  }

  const manifest = await reader.readManifest(run)
  if (manifest === undefined) throw new Error(`The manifest of ${run.snapshotId} is gone`)
  const known = await unlessDamaged('plan', () => reader.readPlan(run))
  const plan = known !== undefined && 'missing' in known ? undefined : known
  const gone = plan === undefined ? [] : await unlessDamaged('customers that left', () => readGone(store, reader, plan))
  const { planned, read, failed } = run.customers
  const credential = await inspectCredential()
  return {
    writtenAt: new Date(clock.now()).toISOString(),
    run: { ...toSnapshot(run), ...(manifest.error === undefined ? {} : { error: manifest.error }) },
    isPartial: run.partial,
    customers: { planned, read, failed, gone: Math.max(0, planned - read - failed) },
    ...(plan?.base === undefined ? {} : { before: { snapshotId: plan.base } }),
    changes: await findChanges(plan),
    failures: await readFailures({ reader, manifest, plan }),
    gone: Array.isArray(gone) ? gone : [],
    history: await readHistory(runs, run),
    lines: await unlessDamaged('order lines', addUpLines),
    ...(credential === undefined ? {} : { credential }),
  }
}
