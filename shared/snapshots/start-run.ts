import { randomUUID } from 'node:crypto'
import type { Call } from '../call.ts'
import type { Clock } from '../clock.ts'
import type { FinishRun } from './finish-run.ts'
import { currentBlob, idToInstant, manifestBlob, toSnapshotId } from './layout.ts'
import type { PartQueue } from './part-queue.ts'
import type { EndReason } from './part-writer.ts'
import { isCorrupt, type SnapshotReader } from './reader.ts'
import { type Current, current as currentShape, type PlannedCustomer, type PlanTail, type Trigger } from './shapes.ts'
import type { Store } from './store.ts'

export type Started = {
  /** The new run, or the one that is going on. */
  snapshotId: string
  started: boolean
}

export type StartRun = (trigger: Trigger, customers: PlannedCustomer[] | undefined, call: Call) => Promise<Started>

type Options = {
  store: Store
  reader: SnapshotReader
  queue: PartQueue
  clock: Clock
  finishRun: FinishRun
  overdueAt: (run: Pick<PlanTail, 'startedAt'> & { parts?: PlanTail['parts'] }) => number
  endRun: (snapshotId: string, reason: EndReason, call: Call) => Promise<void>
}

/** Reads `current.json`; damaged or missing means that no run is known. */
export async function readCurrent(store: Store): Promise<{ current: Current | undefined; etag: string | undefined }> {
  const stored = await store.read(currentBlob)
  if (stored === undefined) return { current: undefined, etag: undefined }
  const parsed = currentShape.safeParse(parseJson(stored.body))
  return { current: parsed.data, etag: stored.info.etag }
}

/** A damaged run is over when its time is; it must not keep the next one from starting. */
function undefinedIfCorrupt(error: unknown): undefined {
  if (!isCorrupt(error)) throw error
  return undefined
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}

/**
 * Starts a run unless one is going on: the conditional write of `current.json` decides between those who start at once.
 * The plan message is sent before it, so that no crash leaves a run that nobody plans; a loser's is withdrawn, and one
 * that escapes finds another nonce. A run that is overdue is ended first.
 */
export function createStartRun({ store, reader, queue, clock, finishRun, overdueAt, endRun }: Options): StartRun {
  /** True if the run is over, ending it if it is overdue. */
  async function isOver({ snapshotId, startedAt }: Current, call: Call): Promise<boolean> {
    const isFinished = async () => (await store.head(manifestBlob(snapshotId))) !== undefined
    if (await isFinished()) return true
    const plan = await reader.readPlan(snapshotId).catch(undefinedIfCorrupt)
    if (clock.now() < overdueAt(plan ?? { startedAt })) return false
    const reason = {
      code: 'snapshot_failed',
      message: 'The run was overdue and has been ended. Its parts took too long or were lost.',
    }
    await endRun(snapshotId, reason, call)
    return isFinished()
  }

  return async (trigger, customers, call) => {
    const { current: previous, etag } = await readCurrent(store)
    if (previous !== undefined) {
      if (!(await isOver(previous, call))) return { snapshotId: previous.snapshotId, started: false }
      // Whoever finished it may have died before moving latest.json; changes are found against that.
      await finishRun.finish(previous.snapshotId, call).catch(undefinedIfCorrupt)
    }
    // Ids name a second: a run that follows another within one waits for the next, but no longer for a clock that is ahead.
    const earliest = previous === undefined ? 0 : idToInstant(previous.snapshotId) + 1000
    const tooEarlyMs = Math.min(earliest - clock.now(), 1000)
    if (tooEarlyMs > 0) await clock.sleep(tooEarlyMs, call.deadline.signal)
    const startedAt = Math.max(clock.now(), earliest)
    const next: Current = {
      snapshotId: toSnapshotId(startedAt),
      nonce: randomUUID(),
      trigger,
      startedAt: new Date(startedAt).toISOString(),
      ...(customers === undefined ? {} : { customers }),
    }
    const { snapshotId, nonce } = next
    const sent = await queue.send({ kind: 'plan', snapshotId, nonce, sentAt: clock.now() })
    const condition = etag === undefined ? { absent: true } : { etag }
    const written = await store.write(currentBlob, JSON.stringify(next), condition)
    if (written === false) {
      const { current } = await readCurrent(store)
      // The answer to our own write may have got lost and the write been repeated.
      if (current?.nonce !== nonce) {
        await sent.withdraw()
        return { snapshotId: current?.snapshotId ?? snapshotId, started: false }
      }
    }
    call.log('info', 'snapshot_started', {
      snapshotId,
      trigger,
      ...(customers === undefined ? {} : { customers: customers.length }),
    })
    return { snapshotId, started: true }
  }
}
