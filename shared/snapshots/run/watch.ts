import { isAppError } from '../../errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import { inOrder } from '../../runtime/in-order.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import type { CurrentRun } from '../storage/current-run.ts'
import type { WatchMessage } from '../storage/messages.ts'
import type { PartQueue } from '../storage/part-queue.ts'
import { type Plan, plannedIn } from '../storage/plan-blob.ts'
import type { SnapshotReader } from '../storage/reader.ts'
import type { Current } from '../storage/shapes.ts'
import type { Ensure, Progress } from './ensure.ts'
import { overdue, type RunTimes } from './overdue.ts'
import type { PlanRun } from './plan.ts'

type Options = {
  queue: PartQueue
  currentRun: CurrentRun
  reader: SnapshotReader
  clock: Clock
  times: RunTimes
  planRun: PlanRun
  ensure: Ensure
  /** Writes the report of an ended run if it is missing. */
  writeReport: (snapshotId: string, operation: OperationContext) => Promise<void>
}

export type Watch = {
  /**
   * Plans the run if it has no plan, sends lost parts again, ends the run if it is overdue, and sends the next watch
   * message.
   */
  watch: (message: WatchMessage, operation: OperationContext) => Promise<void>
  /** Handles the last failed delivery: a run without a plan fails, and any other run gets a new watch message. */
  giveUp: (message: WatchMessage, operation: OperationContext) => Promise<void>
}

/** The time between two watch messages of a run. */
const watchSeconds = 120

/**
 * The delay after which a part counts as lost if no part was completed since the last watch message. It is longer than
 * any redelivery takes.
 */
const lostAfterMs = 15 * 60_000

/** Delays of a watch message that arrives before its run. After the last one, the start is fenced off. */
const earlySeconds = [1, 5, 30, 120]

const concurrency = 16

export function createWatch({ queue, currentRun, reader, clock, times, planRun, ensure, writeReport }: Options): Watch {
  /**
   * Sends part messages and records the generation in `current.json`. Messages of earlier generations are void from
   * then on.
   */
  async function sendParts(
    run: Current,
    plan: Plan,
    parts: readonly number[],
    operation: OperationContext,
  ): Promise<void> {
    const { snapshotId, nonce } = run
    const changed = await currentRun.change(nonce, ({ generation, ended, stop }) =>
      ended === undefined && stop === undefined ? { generation: generation + 1, sent: false } : undefined,
    )
    if (changed === undefined || changed.ended !== undefined || changed.stop !== undefined) return
    const { generation } = changed
    const due = times.dueTimes(plan)
    let refused = 0
    const send = async (part: number): Promise<void> => {
      const delaySeconds = ((due[part] ?? 0) - clock.now()) / 1000
      await queue.send({ kind: 'part', snapshotId, part, generation, requeued: 0 }, delaySeconds).catch(error => {
        // One refused message must not repeat the others. The watch finds the late part and sends its message again.
        refused++
        operation.log('warn', 'part_not_sent', {
          snapshotId,
          part,
          why: isAppError(error) ? error.code : String(error),
        })
      })
    }
    for await (const _ of inOrder(parts, concurrency, send));
    if (refused === parts.length && refused > 0) throw new Error(`No part message of ${snapshotId} could be sent`)
    await currentRun.change(nonce, ({ generation: present }) => (present === generation ? { sent: true } : undefined))
  }

  async function plan(run: Current, operation: OperationContext): Promise<void> {
    if (run.sent || run.stop !== undefined) return
    const known = await reader.readPlan(run)
    const written = known ?? (await planRun(run, operation))
    if (written === undefined) return
    let openParts = [...written.parts.keys()]
    if (known !== undefined) {
      // A worker died while it sent the parts. Some of them may be done.
      const progress = await ensure.ensure(run.snapshotId, operation)
      if (progress.ended) return
      openParts = progress.openParts
    }
    await sendParts(run, written, openParts, operation)
    const { snapshotId } = run
    operation.log('info', 'snapshot_planned', {
      snapshotId,
      parts: written.parts.length,
      customers: plannedIn(written),
    })
  }

  /**
   * True if part messages are lost: no part was completed since the last watch message, and the open parts are long
   * overdue.
   */
  function isStalled(progress: Progress & { ended: false }, plan: Plan, committedBefore: number): boolean {
    const { run, openParts, committed } = progress
    const due = times.dueTimes(plan)
    const lateSince = Math.max(run.quietUntil ?? 0, Math.min(...openParts.map(part => due[part] ?? 0)))
    return committed === committedBefore && clock.now() > lateSince + lostAfterMs
  }

  /** True if the start that sent the message may still write `current.json`. After a later run, it cannot. */
  const comesEarly = (run: Current | undefined, { round, snapshotId }: WatchMessage): boolean =>
    round === 0 && (run === undefined || run.snapshotId < snapshotId)

  async function wait(message: WatchMessage): Promise<void> {
    const seconds = earlySeconds[message.early]
    if (seconds === undefined) await fence(message)
    else await queue.send({ ...message, early: message.early + 1 }, seconds)
  }

  /**
   * Fences off a start that did not write `current.json`. If it continues, it has to read again and send a new message.
   */
  async function fence(message: WatchMessage): Promise<void> {
    const state = await currentRun.read()
    if (state.current?.nonce !== message.nonce && (await currentRun.fence(state))) return
    // The start was written, or the write of another worker fences it off as well.
    const { current } = await currentRun.read()
    if (current?.nonce === message.nonce) await queue.send({ ...message, early: 0 }, 1)
  }

  return {
    async watch(message, operation) {
      const { snapshotId, nonce, round } = message
      const { current: run } = await currentRun.read()
      if (run?.nonce !== nonce) {
        if (comesEarly(run, message)) await wait(message)
        return
      }
      if (run.ended !== undefined) return writeReport(snapshotId, operation)
      if (round < run.round) return
      try {
        await plan(run, operation)
      } catch (error) {
        if (!isAppError(error) || error.retryable || error.code === 'internal_error') throw error
        await ensure.stop(snapshotId, { code: error.code, message: error.message }, operation)
      }
      let progress = await ensure.ensure(snapshotId, operation)
      if (!progress.ended && clock.now() >= times.overdueAt(progress.run, progress.plan)) {
        await ensure.stop(snapshotId, overdue, operation)
        progress = await ensure.ensure(snapshotId, operation)
      }
      if (progress.ended) return
      const { plan: written, committed, openParts } = progress
      if (written !== undefined && round > 0 && isStalled(progress, written, message.committed)) {
        operation.log('warn', 'parts_sent_again', { snapshotId, parts: openParts.length })
        await sendParts(progress.run, written, openParts, operation)
      }
      // If `current.json` cannot be written, each delivery of this message would send another next message. This write
      // tests it.
      await currentRun.change(nonce, () => ({}))
      await queue.send({ ...message, round: round + 1, committed, early: 0 }, watchSeconds)
      // The next message is sent. If this write failed and repeated the delivery, another message would follow each
      // time.
      await currentRun
        .change(nonce, present => (present.round <= round ? { round: round + 1 } : undefined))
        .catch(error => {
          if (!isAppError(error)) throw error
          operation.log('warn', 'round_not_noted', { snapshotId, code: error.code })
        })
    },

    async giveUp(message, operation) {
      const { snapshotId, nonce } = message
      operation.log('error', 'snapshot_watch_failed', { snapshotId })
      const { current: run } = await currentRun.read()
      if (run?.nonce !== nonce) return comesEarly(run, message) ? fence(message) : undefined
      if (run.ended !== undefined) return
      if (run.sent) {
        await queue.send(message, watchSeconds)
        return
      }
      const reason = { code: 'snapshot_failed', message: 'The customers could not be listed, after five tries.' }
      await ensure.stop(snapshotId, reason, operation)
    },
  }
}
