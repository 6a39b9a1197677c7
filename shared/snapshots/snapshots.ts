import type { Call } from '../call.ts'
import type { Clock } from '../clock.ts'
import { type AppError, isAppError } from '../errors.ts'
import { createReadOrders } from '../orders/read-orders.ts'
import { readCustomer, readCustomerPages } from '../partner-center/customers.ts'
import { createRequest, type RequestOptions } from '../partner-center/request.ts'
import type { Settings } from '../settings.ts'
import { type ChangesFeed, createChangesFeed } from './changes-feed.ts'
import { createEndRun } from './end-run.ts'
import { createFindRuns } from './find-runs.ts'
import { createFinishRun, latestId } from './finish-run.ts'
import { createLimit, inOrder } from './in-order.ts'
import { latestBlob } from './layout.ts'
import { createPace } from './pace.ts'
import type { PartQueue } from './part-queue.ts'
import { createPlanRun } from './plan.ts'
import { createReadBack, type ReadBack } from './read-back.ts'
import { createReadCustomer } from './read-customer.ts'
import { createReader } from './reader.ts'
import { createRunStatus, type RunStatus } from './run-status.ts'
import { type Message, message as messageShape, type PartMessage, type PlanMessage, type PlanTail } from './shapes.ts'
import { createStartRun, readCurrent, type StartRun } from './start-run.ts'
import type { Store } from './store.ts'
import { createTakePart } from './take-part.ts'

export type Snapshots = {
  start: StartRun
  /** Does what a message of the queue asks. Rejects if it has to be delivered again. */
  handle: (message: unknown, call: Call) => Promise<void>
  /** Records what a message was about as failed: it was delivered too often. */
  giveUp: (message: unknown, call: Call) => Promise<void>
  readBack: ReadBack
  status: RunStatus
  changes: ChangesFeed
}

type Options = {
  store: Store
  queue: PartQueue
  /** Everything a request needs but the pace, which is ours. */
  request: Omit<RequestOptions, 'pace'>
  settings: Settings
  clock: Clock
}

/** A run is overdue after three times its ideal time at the pace, but not before an hour. */
const overdueFactor = 3
const leastOverdueMinutes = 60

/** Wires the parts of this room. */
export function createSnapshots({ store, queue, request: requestOptions, settings, clock }: Options): Snapshots {
  const { requestsPerMinute, concurrency, deadlineSeconds, baseUrl } = settings
  const { overdueMinutes, customersPerPart, customers: configuredCustomers } = settings.snapshots
  const reader = createReader(store)
  const runs = createFindRuns(store, reader)
  const finishRun = createFinishRun({ store, reader, clock })
  const pace = createPace({ store, clock, requestsPerMinute, concurrency })
  const currentRun = async () => (await readCurrent(store)).current

  const paced = createRequest({ ...requestOptions, pace: pace.take })
  // The first request of a customer waits for its turn before the customer's deadline begins.
  const paidFor = new WeakSet<AbortSignal>()
  const readCustomerOrders = createReadOrders({
    request: createRequest({
      ...requestOptions,
      pace: async call => {
        if (!paidFor.has(call.deadline.signal)) {
          paidFor.add(call.deadline.signal)
          return
        }
        await pace.take(call)
      },
    }),
    share: (_, call, start) => start(call),
    baseUrl,
    clock,
  })

  const overdueAt = ({
    startedAt,
    parts = [],
  }: Pick<PlanTail, 'startedAt'> & { parts?: PlanTail['parts'] }): number => {
    const customers = parts.reduce((sum, part) => sum + part.customers, 0)
    const minutes = overdueMinutes ?? Math.max(leastOverdueMinutes, (overdueFactor * customers) / requestsPerMinute)
    return Date.parse(startedAt) + minutes * 60_000
  }

  const endRun = (snapshotId: string, reason: { code: string; message: string }, call: Call): Promise<void> =>
    createEndRun({ store, reader, finishRun, giveUp: parts.giveUp, readCurrent: currentRun })(snapshotId, reason, call)

  const parts = createTakePart({
    store,
    reader,
    queue,
    pace,
    readCustomer: createReadCustomer({ readOrders: readCustomerOrders, clock, seconds: deadlineSeconds, overdueAt }),
    limit: createLimit(concurrency),
    concurrency,
    endRun,
    finishRun: finishRun.finish,
  })

  const planRun = createPlanRun({
    store,
    reader,
    queue,
    clock,
    readCustomers: call => readCustomerPages(paced, baseUrl, call),
    readNames: (ids, call) =>
      Array.fromAsync(
        inOrder(ids, concurrency, async id => {
          const customer = await readCustomer(paced, id, call).catch(error => {
            if (isAppError(error) && nameless.includes(error.code)) return undefined
            throw error
          })
          return customer?.companyName ?? ''
        }),
      ),
    configuredCustomers,
    customersPerPart,
    requestsPerMinute,
    readCurrent: currentRun,
    readBase: async () => {
      const stored = await store.read(latestBlob)
      const base = stored === undefined ? '' : latestId(stored.body)
      return base === '' ? runs.newest() : base
    },
    endRun,
    finishRun: finishRun.finish,
  })

  /** A message that nobody can read is dropped: delivering it again would change nothing. */
  function parse(message: unknown, call: Call): Message | undefined {
    const parsed = messageShape.safeParse(message)
    if (!parsed.success) call.log('error', 'message_malformed', { why: parsed.error.message.slice(0, 500) })
    return parsed.data
  }

  return {
    start: createStartRun({ store, reader, queue, clock, finishRun, overdueAt, endRun }),
    async handle(message, call) {
      const parsed = parse(message, call)
      if (parsed?.kind === 'plan') await planRun(parsed, call)
      else if (parsed !== undefined) await parts.take(parsed, call)
    },
    async giveUp(message, call) {
      const parsed = parse(message, call)
      if (parsed?.kind === 'plan') await giveUpPlan(parsed, call)
      else if (parsed !== undefined) await giveUpPart(parsed, call)
    },
    readBack: createReadBack(runs, reader),
    status: createRunStatus({ store, reader, runs, readCurrent: currentRun, moveLatest: finishRun.moveLatest }),
    changes: createChangesFeed({ store, runs, clock, readCurrent: currentRun }),
  }

  async function giveUpPlan({ snapshotId, nonce }: PlanMessage, call: Call): Promise<void> {
    if ((await currentRun())?.nonce !== nonce) return
    await endRun(
      snapshotId,
      { code: 'snapshot_failed', message: 'The customers could not be listed, after five tries.' },
      call,
    )
  }

  async function giveUpPart(message: PartMessage, call: Call): Promise<void> {
    const { snapshotId, part } = message
    call.log('error', 'snapshot_part_failed', { snapshotId, part })
    const reason = {
      code: 'snapshot_failed',
      message: 'The part of the snapshot that holds this customer failed five times.',
    }
    await parts.giveUp(message, reason, false, call)
    await finishRun.finish(snapshotId, call)
  }
}

/** Failures to read a customer that leave it without a name, and nothing more. */
const nameless: AppError['code'][] = [
  'customer_not_found',
  'order_not_found',
  'no_customer_relationship',
  'partner_center_forbidden',
  'partner_center_invalid_response',
]
