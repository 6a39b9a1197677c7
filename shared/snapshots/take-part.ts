import { z } from 'zod'
import { type Call, startDeadline } from '../call.ts'
import type { Clock } from '../clock.ts'
import { type AppError, isAppError, isCredentialFailure } from '../errors.ts'
import { describeError } from '../log.ts'
import type { ReadOrders } from '../orders/read-orders.ts'
import { selectOrders } from '../orders/select-orders.ts'
import { type ChangeLine, type PartHistory, readHistory } from './changes.ts'
import { encodeCustomer, encodeLines, hashOrders } from './codec.ts'
import { inOrder, type Limit } from './in-order.ts'
import { partBlob, planBlob } from './layout.ts'
import type { Pace } from './pace.ts'
import type { PartQueue } from './part-queue.ts'
import { type ChangeCounts, createPartWriter, type EndReason, type PartWriter, rollForward } from './part-writer.ts'
import { corrupt, type SnapshotReader } from './reader.ts'
import {
  type FailedEntry,
  type IndexEntry,
  type PartMessage,
  type PlannedCustomer,
  type PlanTail,
  plannedCustomer,
  type ReadEntry,
} from './shapes.ts'
import type { Store } from './store.ts'

type Options = {
  store: Store
  reader: SnapshotReader
  queue: PartQueue
  pace: Pace
  /** Reads one customer; the first request of it was paid for with the pace already. */
  readOrders: ReadOrders
  limit: Limit
  clock: Clock
  concurrency: number
  /** Seconds that reading one customer may take, retries included. */
  customerSeconds: number
  /** Milliseconds since 1970 UTC at which the run is given up. */
  overdueAt: (plan: PlanTail) => number
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

/** A part that has to wait longer than it may: its message goes back with a delay. */
class HandBack extends Error {
  override readonly name = 'HandBack'
  readonly seconds: number

  constructor(seconds: number) {
    super(`Wait ${seconds} s`)
    this.seconds = seconds
  }
}

/** A part goes back this often; then those who are still throttled count as failed. */
const mostHandBacks = 5

type CustomerResult = { entry: FailedEntry } | { entry: ReadEntry; member: Buffer; changes: ChangeLine[] }

export function createTakePart(options: Options): TakePart {
  const { store, reader, queue, pace, readOrders, limit, clock, concurrency, customerSeconds, overdueAt } = options

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

  function failed(
    [customerTenantId, customerName]: PlannedCustomer,
    history: PartHistory,
    error: EndReason,
  ): FailedEntry {
    const lastRead = history.lastReadOf(customerTenantId)
    return { customerTenantId, customerName, error, ...(lastRead === undefined ? {} : { lastRead }) }
  }

  /** How long to hand the part back for, or undefined if the customer cannot be read within this run. */
  function handBackSeconds(error: AppError, plan: PlanTail, handedBack: number): number | undefined {
    const seconds = error.options.retryAfterSeconds ?? 60
    const inTime = clock.now() + seconds * 1000 < overdueAt(plan)
    return error.code === 'partner_center_throttled' && handedBack < mostHandBacks && inTime ? seconds : undefined
  }

  async function readCustomer(
    customer: PlannedCustomer,
    history: PartHistory,
    plan: PlanTail,
    handedBack: number,
    call: Call,
  ): Promise<CustomerResult> {
    const [customerTenantId, customerName] = customer
    const deadline = startDeadline(clock, customerSeconds)
    const signal = AbortSignal.any([deadline.signal, call.deadline.signal])
    try {
      const retrievedAt = new Date(clock.now()).toISOString()
      const query = { customerTenantId, includePrice: false, includeSystemPurchases: true }
      const { orders } = await readOrders(query, { ...call, deadline: { at: deadline.at, signal } })
      const sorted = selectOrders(orders).filter(({ json }) => json[0] === openBrace)
      const member = await encodeCustomer({ customerTenantId, customerName, retrievedAt }, sorted)
      const entry = {
        customerTenantId,
        customerName,
        retrievedAt,
        orders: sorted.length,
        offset: 0,
        length: member.length,
        sha256: hashOrders(sorted),
      }
      const changes = await history.changesOf(
        { customerTenantId, customerName },
        entry,
        sorted.map(({ json }) => json),
      )
      return { entry, member, changes }
    } catch (error) {
      if (call.deadline.signal.aborted) throw call.deadline.signal.reason
      if (!isAppError(error)) {
        call.log('error', 'customer_failed', { customerTenantId, why: describeError(error) })
        return {
          entry: failed(customer, history, {
            code: 'internal_error',
            message: 'The app has failed on this customer; see its log.',
          }),
        }
      }
      if (isCredentialFailure(error) || isOurStorage(error)) throw error
      const seconds = handBackSeconds(error, plan, handedBack)
      if (seconds !== undefined) throw new HandBack(seconds)
      call.log('warn', 'customer_failed', { customerTenantId, code: error.code })
      return { entry: failed(customer, history, { code: error.code, message: error.message }) }
    } finally {
      deadline.end()
    }
  }

  async function writeChanges(writer: PartWriter, counts: ChangeCounts, lines: readonly ChangeLine[]): Promise<void> {
    for (const { kind } of lines) counts[kind]++
    await writer.addChanges(await encodeLines(lines.map(({ line }) => line)))
  }

  async function readPart({ snapshotId, part, handedBack }: PartMessage, call: Call): Promise<void> {
    const { plan, customers, history, writer } = await open(snapshotId, part, call)
    const stop = new AbortController()
    const signal = AbortSignal.any([call.deadline.signal, stop.signal])
    const partCall: Call = { ...call, deadline: { at: call.deadline.at, signal } }
    const entries: IndexEntry[] = []
    const counts: ChangeCounts = { created: 0, updated: 0, removed: 0 }
    let unpaid = customers.length
    pace.expect(unpaid)
    try {
      const results = inOrder(customers, concurrency * 2, customer =>
        limit(async () => {
          await pace.take(partCall)
          unpaid--
          return readCustomer(customer, history, plan, handedBack, partCall)
        }),
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
      const entries = customers.map(customer => failed(customer, history, reason))
      const counts: ChangeCounts = { created: 0, updated: 0, removed: 0 }
      if (!plan.partial && !ended) {
        for await (const lines of history.goneChanges(plan.startedAt)) await writeChanges(writer, counts, lines)
      }
      await writer.commit({ part, customers: entries }, counts, ended ? reason : undefined)
    },
  }
}

const openBrace = 0x7b

/** Failures of our own storage are the part's, not the customer's: the message is delivered again. */
const isOurStorage = (error: AppError): boolean =>
  ['storage_unavailable', 'app_misconfigured', 'snapshot_corrupt'].includes(error.code)
