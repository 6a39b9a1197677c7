import { z } from 'zod'
import type { Call } from '../call.ts'
import { isAppError, isCredentialFailure } from '../errors.ts'
import { type ChangeLine, readHistory } from './changes.ts'
import { encodeLines } from './codec.ts'
import { inOrder, type Limit } from './in-order.ts'
import { partBlob, planBlob } from './layout.ts'
import type { Pace } from './pace.ts'
import type { PartQueue } from './part-queue.ts'
import { type ChangeCounts, createPartWriter, type EndReason, type PartWriter, rollForward } from './part-writer.ts'
import { HandBack, type ReadCustomer, type Turn, toFailed } from './read-customer.ts'
import { corrupt, type SnapshotReader } from './reader.ts'
import { type IndexEntry, type PartMessage, type PlannedCustomer, type PlanTail, plannedCustomer } from './shapes.ts'
import type { Store } from './store.ts'

type Options = {
  store: Store
  reader: SnapshotReader
  queue: PartQueue
  pace: Pace
  readCustomer: ReadCustomer
  limit: Limit
  concurrency: number
  /** Ends the run at once, for a credential that fails every call. */
  endRun: (snapshotId: string, reason: EndReason, call: Call) => Promise<void>
  finishRun: (snapshotId: string, call: Call) => Promise<void>
}

export type TakePart = {
  /** Reads a part's customers and writes the part, unless that was done before. */
  take: (message: PartMessage, call: Call) => Promise<void>
  /** Records every customer of a part as failed: the part was tried too often, or its run has ended. */
  giveUp: (
    message: Pick<PartMessage, 'snapshotId' | 'part'>,
    reason: EndReason,
    ended: boolean,
    call: Call,
  ) => Promise<void>
}

export function createTakePart(options: Options): TakePart {
  const { store, reader, queue, pace, readCustomer, limit, concurrency } = options

  async function readPlanned(snapshotId: string, plan: PlanTail, part: number): Promise<PlannedCustomer[]> {
    const place = plan.parts[part]
    const stored = place && (await store.read(planBlob(snapshotId), place))
    try {
      return z.array(plannedCustomer).parse(JSON.parse(stored?.body.toString('utf8') ?? ''))
    } catch (cause) {
      throw corrupt(planBlob(snapshotId), cause)
    }
  }

  async function open(snapshotId: string, part: number, call: Call) {
    const plan = await reader.readPlan(snapshotId)
    if (plan === undefined) throw corrupt(planBlob(snapshotId))
    const customers = await readPlanned(snapshotId, plan, part)
    const from = part === 0 ? '' : (customers[0]?.[0] ?? '')
    const range = { from, to: plan.parts[part + 1]?.firstId, planned: new Set(customers.map(([id]) => id)) }
    const history = await readHistory(reader, snapshotId, plan.base, range, call)
    const writer = createPartWriter(store, snapshotId, part, !plan.partial)
    return { plan, customers, history, writer }
  }

  /** True if the part was decided before; what is missing of it then appears. */
  async function isDecided(snapshotId: string, part: number): Promise<boolean> {
    const decided = await store.head(partBlob(snapshotId, part))
    if (decided !== undefined) await rollForward(store, snapshotId, part, decided)
    return decided !== undefined
  }

  async function writeChanges(writer: PartWriter, counts: ChangeCounts, lines: readonly ChangeLine[]): Promise<void> {
    for (const { kind } of lines) counts[kind]++
    await writer.addChanges(await encodeLines(lines.map(({ line }) => line)))
  }

  async function readPart({ snapshotId, part, handedBack }: PartMessage, call: Call): Promise<void> {
    const { plan, customers, history, writer } = await open(snapshotId, part, call)
    const stop = new AbortController()
    const signal = AbortSignal.any([call.deadline.signal, stop.signal])
    const partCall: Call = { ...call, deadline: { ...call.deadline, signal } }
    const entries: IndexEntry[] = []
    const counts: ChangeCounts = { created: 0, updated: 0, removed: 0 }
    let unpaid = customers.length
    const turn: Turn = work =>
      limit(async () => {
        await pace.take(partCall)
        unpaid--
        return work()
      })
    pace.expect(unpaid)
    try {
      const results = inOrder(customers, concurrency * 2, customer =>
        readCustomer(customer, { history, plan, turn, handedBack }, partCall),
      )
      for await (const result of results) {
        if (!('member' in result)) {
          entries.push(result.entry)
          continue
        }
        entries.push({ ...result.entry, ...(await writer.addCustomer(result.member)) })
        if (!plan.partial) await writeChanges(writer, counts, result.changes)
      }
      if (!plan.partial) {
        for await (const lines of history.goneChanges(plan.startedAt)) await writeChanges(writer, counts, lines)
      }
      await writer.commit({ part, customers: entries }, counts)
    } finally {
      pace.expect(-unpaid)
      stop.abort(new Error('The part has ended'))
    }
  }

  return {
    async take(message, call) {
      const { snapshotId, part } = message
      try {
        if (!(await isDecided(snapshotId, part))) await readPart(message, call)
      } catch (error) {
        if (error instanceof HandBack) {
          call.log('warn', 'part_handed_back', { snapshotId, part, seconds: error.seconds })
          await queue.send({ ...message, handedBack: message.handedBack + 1 }, error.seconds)
          return
        }
        if (!isAppError(error) || !isCredentialFailure(error)) throw error
        await options.endRun(snapshotId, { code: error.code, message: error.message }, call)
        return
      }
      await options.finishRun(snapshotId, call)
    },

    async giveUp({ snapshotId, part }, reason, ended, call) {
      if (await isDecided(snapshotId, part)) return
      const { plan, customers, history, writer } = await open(snapshotId, part, call)
      const entries = customers.map(customer => toFailed(customer, history, reason))
      const counts: ChangeCounts = { created: 0, updated: 0, removed: 0 }
      if (!plan.partial && !ended) {
        for await (const lines of history.goneChanges(plan.startedAt)) await writeChanges(writer, counts, lines)
      }
      await writer.commit({ part, customers: entries }, counts, ended ? reason : undefined)
    },
  }
}
