import { randomBytes } from 'node:crypto'
import type { Call } from '../call.ts'
import type { Clock } from '../clock.ts'
import { isAppError } from '../errors.ts'
import type { Customer } from '../partner-center/customers.ts'
import { createLimit, inOrder } from './in-order.ts'
import { partNumber, planBlob, runFolder } from './layout.ts'
import type { PartQueue } from './part-queue.ts'
import type { EndReason } from './part-writer.ts'
import type { SnapshotReader } from './reader.ts'
import type { Current, PlanMessage, PlannedPart, PlanTail } from './shapes.ts'
import type { Store } from './store.ts'

type Options = {
  store: Store
  reader: SnapshotReader
  queue: PartQueue
  clock: Clock
  /** Every customer of the partner, page by page, at the pace. */
  readCustomers: (call: Call) => AsyncGenerator<Customer[]>
  /** Names of some customers, at the pace; an empty text for those that have none. */
  readNames: (customerTenantIds: readonly string[], call: Call) => Promise<string[]>
  /** If set, only these are snapshotted. */
  configuredCustomers: readonly string[] | undefined
  customersPerPart: number
  requestsPerMinute: number
  readCurrent: () => Promise<Current | undefined>
  /** The run whose data changes are found against. */
  readBase: () => Promise<string | undefined>
  endRun: (snapshotId: string, reason: EndReason, call: Call) => Promise<void>
  finishRun: (snapshotId: string, call: Call) => Promise<void>
}

/** Waiting for the write that makes a run the current one, before its plan message counts as a loser's. */
const patienceMs = 60_000

/** Parts become visible this much before their time, so that a worker is there when it comes. */
const leadMs = 10_000

/** However slow the pace, a part takes no more than about this many minutes, well below the time limit of a function. */
const partMinutes = 10

const blockBytes = 1024 * 1024

/** Customers as texts, a separator between id and name: a hundred thousand fit into a few megabytes. */
const separator = '\0'

/** Lists the customers, writes the plan once, and sends a message for each part at its time. */
export function createPlanRun(options: Options): (message: PlanMessage, call: Call) => Promise<void> {
  const { store, reader, queue, clock, configuredCustomers, requestsPerMinute } = options
  const customersPerPart = Math.max(1, Math.min(options.customersPerPart, requestsPerMinute * partMinutes))

  async function listCustomers(current: Current, call: Call): Promise<string[]> {
    if (current.customers !== undefined) return current.customers.map(([id, name]) => id + separator + name).sort()
    if (configuredCustomers !== undefined) {
      const ids = [...new Set(configuredCustomers)].sort()
      const names = await options.readNames(ids, call)
      return ids.map((id, at) => id + separator + (names[at] ?? ''))
    }
    const all: string[] = []
    for await (const page of options.readCustomers(call)) {
      for (const { customerTenantId, companyName } of page) all.push(customerTenantId + separator + companyName)
    }
    all.sort()
    return all.filter((customer, at) => customer.slice(0, idLength) !== all[at - 1]?.slice(0, idLength))
  }

  /** Writes the customers part by part and the list of parts after them; false if another plan was first. */
  async function writePlan(tail: Omit<PlanTail, 'parts'>, customers: readonly string[]): Promise<boolean> {
    const blob = planBlob(tail.snapshotId)
    const attempt = randomBytes(4).toString('hex')
    const parts: PlannedPart[] = []
    const blocks: string[] = []
    let text = '{"customers":['
    let flushed = 0
    const flush = async () => {
      const body = Buffer.from(text)
      const id = `${attempt}-${String(blocks.length).padStart(6, '0')}`
      await store.stage(blob, id, body)
      blocks.push(id)
      flushed += body.length
      text = ''
    }
    for (let at = 0; at < customers.length; at += customersPerPart) {
      const members = customers.slice(at, at + customersPerPart).map(customer => customer.split(separator))
      const json = JSON.stringify(members)
      const offset = flushed + Buffer.byteLength(text) + (at === 0 ? 0 : 2)
      parts.push({ firstId: members[0]?.[0] ?? '', customers: members.length, offset, length: Buffer.byteLength(json) })
      text += `${at === 0 ? '' : ',\n'}${json}`
      if (text.length > blockBytes) await flush()
    }
    text += '],'
    const tailOffset = flushed + Buffer.byteLength(text)
    text += JSON.stringify({ ...tail, parts }).slice(1)
    await flush()
    const metadata = { tailoffset: String(tailOffset), planned: String(customers.length), parts: String(parts.length) }
    return store.commit(blob, blocks, { metadata })
  }

  async function sendParts(plan: PlanTail, call: Call): Promise<void> {
    const decided = new Set<number>()
    for await (const { name } of store.list(`${runFolder(plan.snapshotId)}part-`)) decided.add(partNumber(name))
    const startsAt = Date.parse(plan.startedAt) - leadMs
    const limit = createLimit(16)
    let before = 0
    const messages = plan.parts.flatMap(({ customers, offset, length }, part) => {
      const delaySeconds = (startsAt + (before / requestsPerMinute) * 60_000 - clock.now()) / 1000
      before += customers
      return decided.has(part) ? [] : [{ part, offset, length, delaySeconds }]
    })
    for await (const _ of inOrder(messages, 16, ({ delaySeconds, ...place }) =>
      limit(() => queue.send({ kind: 'part', snapshotId: plan.snapshotId, handedBack: 0, ...place }, delaySeconds)),
    ));
    call.log('info', 'snapshot_planned', { snapshotId: plan.snapshotId, parts: plan.parts.length, customers: before })
  }

  async function plan(current: Current, call: Call): Promise<void> {
    const { snapshotId, startedAt, trigger } = current
    if ((await reader.readPlan(snapshotId)) === undefined) {
      const customers = await listCustomers(current, call)
      const partial = current.customers !== undefined
      const base = partial ? undefined : await options.readBase()
      await writePlan({ snapshotId, startedAt, trigger, partial, ...(base === undefined ? {} : { base }) }, customers)
    }
    const written = await reader.readPlan(snapshotId)
    if (written === undefined) throw new Error(`The plan of ${snapshotId} was neither written nor there`)
    await sendParts(written, call)
    if (written.parts.length === 0) await options.finishRun(snapshotId, call)
  }

  return async (message, call) => {
    const current = await options.readCurrent()
    if (current?.nonce !== message.nonce) {
      // Sent before the run was decided: either that is still to come, or another start won.
      if (clock.now() - message.sentAt < patienceMs) await queue.send(message, 1)
      return
    }
    try {
      await plan(current, call)
    } catch (error) {
      if (!isAppError(error) || error.retryable || error.code === 'internal_error') throw error
      await options.endRun(message.snapshotId, { code: error.code, message: error.message }, call)
    }
  }
}

const idLength = 36
