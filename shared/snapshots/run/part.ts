import { isAppError, isCredentialFailure } from '../../errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import { inOrder } from '../../runtime/in-order.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import { isMissed, writeChanges } from '../changes/change-lines.ts'
import { readHistory } from '../changes/history.ts'
import type { CurrentRun } from '../storage/current-run.ts'
import { planBlob } from '../storage/layout.ts'
import type { PartMessage } from '../storage/messages.ts'
import { dataBlob, lastFollower } from '../storage/part-blobs.ts'
import type { ChangeCounts } from '../storage/part-metadata.ts'
import type { PartQueue } from '../storage/part-queue.ts'
import { createPartWriter, rollForward } from '../storage/part-writer.ts'
import { type Plan, readPlanned } from '../storage/plan-blob.ts'
import type { SnapshotReader } from '../storage/reader.ts'
import type { Current, Failure, IndexEntry } from '../storage/shapes.ts'
import { corrupt } from '../storage/storage-errors.ts'
import type { Store } from '../storage/store.ts'
import type { Ensure } from './ensure.ts'
import { overdue, type RunTimes } from './overdue.ts'
import { type ReadCustomer, Requeue } from './read-customer.ts'
import { writeLines } from './write-lines.ts'

type Options = {
  store: Store
  reader: SnapshotReader
  queue: PartQueue
  currentRun: CurrentRun
  clock: Clock
  times: RunTimes
  readCustomer: ReadCustomer
  concurrency: number
  ensure: Ensure
}

export type Parts = {
  /** Reads a part's customers and writes the part, unless the part is committed or the message is out of date. */
  take: (message: PartMessage, operation: OperationContext) => Promise<void>
  /** Records the customers of a part as failed after its last delivery. */
  giveUp: (message: PartMessage, operation: OperationContext) => Promise<void>
}

/** The most times that a throttled part is requeued. After that, customers that are still throttled count as failed. */
const mostRequeues = 3

/**
 * Commits a part whose customers all failed for the same reason. Nothing is compared, because the run is being ended.
 */
export function createFailPart(store: Store) {
  return async (plan: Plan, part: number, error: Failure): Promise<void> => {
    const customers = (await readPlanned(store, plan, part)).map(
      ([customerTenantId, customerName]): IndexEntry => ({ customerTenantId, customerName, error }),
    )
    const writer = createPartWriter(store, { run: plan, part })
    await writer.commit({ part, customers }, { created: 0, updated: 0, removed: 0 }, error)
  }
}

export function createParts(options: Options): Parts {
  const { store, reader, queue, currentRun, clock, times, readCustomer, concurrency } = options
  const { ensure, stop } = options.ensure

  /** The run of a message. Undefined if the run has ended or has sent its parts again since. */
  async function runOf({ snapshotId, generation }: PartMessage): Promise<Current | undefined> {
    const { current } = await currentRun.read()
    const isWanted =
      current?.snapshotId === snapshotId && current.ended === undefined && generation >= current.generation
    return isWanted ? current : undefined
  }

  async function planOf(run: Current): Promise<Plan> {
    const plan = await reader.readPlan(run)
    if (plan === undefined) throw corrupt(planBlob(run))
    return plan
  }

  /** True if the part is committed. Its missing blobs are then committed, too. */
  async function isCommitted(plan: Plan, part: number): Promise<boolean> {
    const committed = await store.head(dataBlob.nameOf(plan, part))
    if (committed !== undefined) await rollForward(store, { run: plan, part }, committed.metadata)
    return committed !== undefined
  }

  /** False if the run became overdue. At a slow pace the parts occupy all workers, and the watch message has to wait. */
  async function readPart(plan: Plan, { part, requeued }: PartMessage, operation: OperationContext): Promise<boolean> {
    const overdueAt = times.overdueAt(plan, plan)
    const customers = await readPlanned(store, plan, part)
    const history = await readHistory({ reader, plan, customers, operation })
    const writer = createPartWriter(store, { run: plan, part })
    const stopReading = new AbortController()
    const signal = AbortSignal.any([operation.deadline.signal, stopReading.signal])
    const partOperation: OperationContext = { ...operation, deadline: { ...operation.deadline, signal } }
    const mayWait = (seconds: number) => requeued < mostRequeues && clock.now() + seconds * 1000 < overdueAt
    const entries: IndexEntry[] = []
    const changes: ChangeCounts = { created: 0, updated: 0, removed: 0 }
    let missed = 0
    try {
      const results = inOrder(customers, concurrency * 2, customer =>
        readCustomer(customer, { history, mayWait }, partOperation),
      )
      for await (const result of results) {
        if (clock.now() >= overdueAt) return false
        const place = 'member' in result ? await writer.addCustomer(result.member) : {}
        if ('member' in result) await writeLines(writer, plan, result.entry, result.member)
        if ('changes' in result) await writeChanges(writer, changes, result.changes)
        if ('member' in result) missed += result.changes.filter(each => isMissed(each, plan.followedThrough)).length
        entries.push({ ...result.entry, ...place })
      }
      await writer.commit({ part, customers: entries }, { ...changes, missed })
    } finally {
      stopReading.abort(new Error('The part has ended'))
    }
    const failed = entries.filter(entry => 'error' in entry).length
    operation.log('info', 'snapshot_part_done', {
      snapshotId: plan.snapshotId,
      part,
      customers: entries.length,
      failed,
    })
    return true
  }

  /** Requeues the part with a delay. A hidden message does not count as lost. */
  async function requeue(
    message: PartMessage,
    run: Current,
    seconds: number,
    operation: OperationContext,
  ): Promise<void> {
    const { snapshotId, part } = message
    operation.log('warn', 'part_requeued', { snapshotId, part, seconds })
    const until = clock.now() + seconds * 1000
    await currentRun.change(run.nonce, ({ quietUntil = 0 }) => (quietUntil < until ? { quietUntil: until } : undefined))
    await queue.send({ ...message, requeued: message.requeued + 1 }, seconds)
  }

  /**
   * Only the completion of the last part checks all parts. If another part completes later, it sees the last part here.
   */
  async function ensureAfter(plan: Plan, part: number, operation: OperationContext): Promise<void> {
    const last = plan.parts.length - 1
    if (part === last || (await store.head(lastFollower(plan).nameOf(plan, last))) !== undefined) {
      await ensure(plan.snapshotId, operation)
    }
  }

  return {
    async take(message, operation) {
      const run = await runOf(message)
      if (run === undefined) return
      if (run.stop !== undefined) return void (await ensure(run.snapshotId, operation))
      const plan = await planOf(run)
      try {
        if (!(await isCommitted(plan, message.part)) && !(await readPart(plan, message, operation))) {
          return stop(run.snapshotId, overdue, operation)
        }
      } catch (error) {
        if (error instanceof Requeue) return requeue(message, run, error.seconds, operation)
        if (!isAppError(error) || !isCredentialFailure(error)) throw error
        return stop(run.snapshotId, { code: error.code, message: error.message }, operation)
      }
      await ensureAfter(plan, message.part, operation)
    },

    async giveUp(message, operation) {
      const { snapshotId, part } = message
      operation.log('error', 'snapshot_part_failed', { snapshotId, part })
      const run = await runOf(message)
      if (run === undefined) return
      const plan = await planOf(run)
      if (!(await isCommitted(plan, part))) {
        const customers = await readPlanned(store, plan, part)
        const history = await readHistory({ reader, plan, customers, operation })
        const reason = {
          code: 'snapshot_failed',
          message: 'The part of the snapshot with this customer failed five times.',
        }
        const entries = customers.map(customer => history.toFailed(customer, reason))
        const writer = createPartWriter(store, { run: plan, part })
        await writer.commit({ part, customers: entries }, { created: 0, updated: 0, removed: 0 })
      }
      await ensureAfter(plan, part, operation)
    },
  }
}
