import { randomUUID } from 'node:crypto'
import type { Clock } from '../../runtime/clock.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import { type CurrentRun, findLatest } from '../storage/current-run.ts'
import type { FindRuns } from '../storage/find-runs.ts'
import { timeOfId, toSnapshotId } from '../storage/layout.ts'
import type { PartQueue } from '../storage/part-queue.ts'
import type { Current, PlannedCustomer, Trigger } from '../storage/shapes.ts'
import type { Store } from '../storage/store.ts'
import type { Ensure, Progress } from './ensure.ts'
import { overdue, type RunTimes } from './overdue.ts'

export type Started = {
  /** The new run, or the one in progress. */
  snapshotId: string
  started: boolean
}

export type StartRun = (
  trigger: Trigger,
  customers: PlannedCustomer[] | undefined,
  operation: OperationContext,
  /** `following` starts a following run: it has its own folder and reports changes. */
  options?: { following?: boolean },
) => Promise<Started>

type Options = {
  store: Store
  runs: FindRuns
  queue: PartQueue
  currentRun: CurrentRun
  clock: Clock
  times: RunTimes
  ensure: Ensure
}

/** The runs before another one that did not fail: the newest over all customers, and the newest of any kind. */
export type Earlier = { base?: string; previous?: string }

/** The runs before the next one, according to the run before it. If that is not known, according to the folders. */
export const createReadEarlier =
  ({ store, runs }: Pick<Options, 'store' | 'runs'>) =>
  async (before: Current | undefined): Promise<Earlier> => {
    const didWell = before?.ended === 'succeeded' || before?.ended === 'completedWithErrors'
    const isWhole = before?.customers === undefined
    const latest = await findLatest(store)
    const candidates = [didWell && isWhole ? before.snapshotId : before?.base, latest?.snapshotId]
    const known = candidates.filter(id => id !== undefined)
    const base = known.length > 0 ? known.sort().at(-1) : await runs.newest()
    const previous = didWell
      ? before.snapshotId
      : (before?.previous ?? (before === undefined ? await runs.newestOfAll() : base))
    return { ...(base === undefined ? {} : { base }), ...(previous === undefined ? {} : { previous }) }
  }

/**
 * Starts a run unless one is in progress. The conditional write of `current.json` decides between simultaneous starts.
 * The watch message is sent before that write, so that a crash cannot leave a run without one. An overdue run is ended
 * first.
 */
export function createStartRun({ store, runs, queue, currentRun, clock, times, ensure }: Options): StartRun {
  const readEarlier = createReadEarlier({ store, runs })

  /** True if the run has ended. An overdue run is ended here. */
  async function isOver({ snapshotId }: Current, operation: OperationContext): Promise<boolean> {
    const isOverdue = (progress: Progress): boolean =>
      !progress.ended && clock.now() >= times.overdueAt(progress.run, progress.plan)
    let progress = await ensure.ensure(snapshotId, operation)
    if (isOverdue(progress)) {
      await ensure.stop(snapshotId, overdue, operation)
      progress = await ensure.ensure(snapshotId, operation)
    }
    return progress.ended
  }

  const start: StartRun = async (trigger, customers, operation, options) => {
    const first = await currentRun.read()
    if (first.current !== undefined && !(await isOver(first.current, operation))) {
      return { snapshotId: first.current.snapshotId, started: false }
    }
    // `ensure` may have written `current.json`.
    const { current: before, etag } = await currentRun.read()
    if (before?.nonce !== first.current?.nonce) return start(trigger, customers, operation, options)
    const earlier = await readEarlier(before)
    // An id has a resolution of one second. A run that starts within the same second waits for the next one. It waits
    // one second at most, even if the clock of the earlier run was ahead.
    const earliest = before === undefined ? 0 : timeOfId(before.snapshotId) + 1000
    const tooEarlyMs = Math.min(earliest - clock.now(), 1000)
    if (tooEarlyMs > 0) await clock.sleep(tooEarlyMs, operation.deadline.signal)
    const startedAt = Math.max(clock.now(), earliest)
    const next: Current = {
      snapshotId: toSnapshotId(startedAt),
      nonce: randomUUID(),
      trigger,
      startedAt: new Date(startedAt).toISOString(),
      ...(customers === undefined ? {} : { customers }),
      ...(options?.following === true ? { following: true } : {}),
      ...earlier,
      round: 0,
      generation: 0,
      sent: false,
    }
    const { snapshotId, nonce } = next
    await queue.send({ kind: 'watch', snapshotId, nonce, round: 0, committed: 0, early: 0 })
    if (!(await currentRun.replace(next, etag))) {
      const { current } = await currentRun.read()
      // The watch only fenced off an abandoned start. This start reads again and continues.
      if (current?.nonce === before?.nonce) return start(trigger, customers, operation, options)
      // The response to this write may have been lost, and the write repeated.
      if (current?.nonce !== nonce) return { snapshotId: current?.snapshotId ?? snapshotId, started: false }
    }
    operation.log('info', 'snapshot_started', {
      snapshotId,
      trigger,
      ...(customers === undefined ? {} : { customers: customers.length }),
      ...(options?.following === true ? { following: true } : {}),
    })
    return { snapshotId, started: true }
  }
  return start
}
