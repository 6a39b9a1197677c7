import { hasActivityLog } from '../clouds.ts'
import { isAppError, isCredentialFailure } from '../errors.ts'
import { createReadLog } from '../following/read-log.ts'
import { createReadOrders } from '../orders/read-orders.ts'
import { readCustomer, readCustomerPages } from '../partner-center/customers.ts'
import { createRequest, type RequestOptions } from '../partner-center/request.ts'
import { createRateLimiter } from '../rate-limit/rate-limiter.ts'
import { isWorkDeadline } from '../rate-limit/work-deadline.ts'
import type { ReadCredential } from '../report/gather.ts'
import { createReports, type Reports } from '../report/report.ts'
import type { Clock } from '../runtime/clock.ts'
import { createLimit, inOrder } from '../runtime/in-order.ts'
import type { OperationContext } from '../runtime/operation.ts'
import { createShareCall } from '../runtime/shared-calls.ts'
import type { Settings } from '../settings.ts'
import { type ChangesFeed, createChangesFeed } from './changes/changes-feed.ts'
import { createFailedCustomers, type FailedCustomers } from './reading/failed-customers.ts'
import { createReadBack, type ReadBack } from './reading/read-back.ts'
import { createReadRun, type ReadRun } from './reading/read-run.ts'
import { createRunStatus, type RunStatus } from './reading/run-status.ts'
import { type CancelRun, createCancelRun } from './run/cancel.ts'
import { createCredentialProbe } from './run/credential-probe.ts'
import { createDeleteOldFollowing } from './run/delete-old-following.ts'
import { createEnsure, type Ensure } from './run/ensure.ts'
import { createFollow, type Follow } from './run/follow.ts'
import { createReadKnown } from './run/known-customers.ts'
import { createWriteManifest } from './run/manifest.ts'
import { createRunTimes } from './run/overdue.ts'
import { createFailPart, createParts } from './run/part.ts'
import { createPlanRun } from './run/plan.ts'
import { createReadCustomer } from './run/read-customer.ts'
import { createReadEarlier, createStartRun, type StartRun } from './run/start.ts'
import { createTimerStart, type TimerStart } from './run/timer.ts'
import { createWatch } from './run/watch.ts'
import { createCurrentRun } from './storage/current-run.ts'
import { createFindRuns } from './storage/find-runs.ts'
import { type Followed, readFollowed, readFollowedThrough } from './storage/followed.ts'
import { paceBlob } from './storage/layout.ts'
import { type Message, messageSchema } from './storage/messages.ts'
import type { PartQueue } from './storage/part-queue.ts'
import { createReader } from './storage/reader.ts'
import type { Store } from './storage/store.ts'

export type Snapshots = {
  start: StartRun
  startByTimer: TimerStart['startByTimer']
  /** Reads the activity log and records the orders that changed. */
  follow: Follow
  /** The state of following. */
  followed: () => Promise<Followed>
  cancel: CancelRun
  /** Handles a message of the queue. Rejects if the message must be delivered again. */
  handle: (message: unknown, operation: OperationContext) => Promise<void>
  /** Handles a message after its last failed delivery. */
  giveUp: (message: unknown, operation: OperationContext) => Promise<void>
  failedCustomers: FailedCustomers
  readBack: ReadBack
  readRun: ReadRun
  status: RunStatus
  changes: ChangesFeed
  reports: Reports
}

type Options = {
  store: Store
  queue: PartQueue
  /** The options of the client except the rate limiter, which is created here. */
  request: Omit<RequestOptions, 'pace'>
  settings: Settings
  clock: Clock
  /** Reads the state of the credential, for the report of a run. */
  readCredential?: ReadCredential | undefined
}

/** The most customers that one tick of following reads. They can be read before the next tick. */
const mostFollowed = 1000
const followMinutes = 5

/** The handlers of each kind of message: for a delivery, and for a message whose last delivery failed. */
type Handlers = {
  [Kind in Message['kind']]: Record<
    'handle' | 'giveUp',
    (message: Extract<Message, { kind: Kind }>, operation: OperationContext) => Promise<void>
  >
}

/** Wires the rooms. README.md describes them. */
export function createSnapshots(options: Options): Snapshots {
  const { store, queue, request: requestOptions, settings, clock, readCredential } = options
  const { requestsPerMinute, concurrency, deadlineSeconds, baseUrl } = settings
  const { overdueMinutes, customersPerPart, customers: configuredCustomers } = settings.snapshots

  const reader = createReader(store)
  const runs = createFindRuns(store, reader)
  const currentRun = createCurrentRun(store)
  const times = createRunTimes({ overdueMinutes, requestsPerMinute })
  const limiter = createRateLimiter({ store, blob: paceBlob, clock, requestsPerMinute, concurrency })
  const request = createRequest({
    ...requestOptions,
    pace: operation => {
      const { deadline } = operation
      return isWorkDeadline(deadline) ? deadline.suspend(() => limiter.take(operation)) : limiter.take(operation)
    },
  })

  const writeManifest = createWriteManifest({ store, reader, clock })
  const failPart = createFailPart(store)
  const deleteOldFollowing = createDeleteOldFollowing({ store, reader, runs })
  const ensure = createEnsure({ store, queue, reader, runs, currentRun, writeManifest, deleteOldFollowing, failPart })
  const readRun = createReadRun({ store, runs, reader })
  const share = createShareCall(clock)
  const reports = createReports({ store, reader, runs, readRun, clock, share, readCredential })
  /** The handlers of queue messages also write the report. HTTP callers do not wait for it. */
  const ensureWithReport: Ensure = {
    async ensure(snapshotId, operation) {
      const progress = await ensure.ensure(snapshotId, operation)
      if (progress.ended) await reports.write(snapshotId, operation)
      return progress
    },
    async stop(snapshotId, reason, operation) {
      await ensure.stop(snapshotId, reason, operation)
      await reports.write(snapshotId, operation)
    },
  }
  const readOne = createReadCustomer({
    readOrders: createReadOrders({ request, share: (_, operation, start) => start(operation), baseUrl, clock }),
    probe: createCredentialProbe({
      readList: operation => request({ path: '/v1/customers?size=1' }, operation),
      clock,
    }),
    limit: createLimit(concurrency),
    clock,
    seconds: deadlineSeconds,
  })
  const parts = createParts({
    store,
    reader,
    queue,
    currentRun,
    clock,
    times,
    readCustomer: readOne,
    concurrency,
    ensure: ensureWithReport,
  })
  const readKnown = createReadKnown({ store, reader, runs })
  const planRun = createPlanRun({
    store,
    reader,
    readCustomers: (operation, onCutShort) => readCustomerPages(request, baseUrl, operation, onCutShort),
    async isWanted({ nonce }) {
      const { current } = await currentRun.read()
      return current?.nonce === nonce && current.stop === undefined && current.ended === undefined
    },
    readNames: (ids, operation) => Array.fromAsync(inOrder(ids, concurrency, id => readName(id, operation))),
    readKnown,
    readFollowedThrough: startedAt => readFollowedThrough(store, startedAt),
    configuredCustomers,
    customersPerPart,
    requestsPerMinute,
  })
  const watch = createWatch({
    queue,
    currentRun,
    reader,
    clock,
    times,
    planRun,
    ensure: ensureWithReport,
    writeReport: reports.write,
  })
  const start = createStartRun({ store, runs, queue, currentRun, clock, times, ensure })
  const timer = createTimerStart({ currentRun, clock, start })

  const follow = createFollow({
    store,
    reader,
    currentRun,
    clock,
    readLog: createReadLog(request, baseUrl),
    readCustomer: readOne,
    readEarlier: createReadEarlier({ store, runs }),
    readNewer: readKnown.newer,
    start,
    hasLog: hasActivityLog(settings.cloud),
    configuredCustomers,
    concurrency,
    mostCustomers: Math.max(1, Math.min(mostFollowed, requestsPerMinute * followMinutes)),
  })

  /** An unreadable name fails only the name, unless the credential is refused. */
  async function readName(customerTenantId: string, operation: OperationContext): Promise<string> {
    try {
      return (await readCustomer(request, customerTenantId, operation))?.companyName ?? ''
    } catch (error) {
      const isOfAll = isCredentialFailure(error) && !(isAppError(error) && error.options.upstream?.status === 401)
      if (!isAppError(error) || isOfAll || operation.deadline.signal.aborted) throw error
      operation.log('warn', 'name_unknown', { customerTenantId, code: error.code })
      return ''
    }
  }

  const handlers: Handlers = {
    watch: { handle: watch.watch, giveUp: watch.giveUp },
    part: { handle: parts.take, giveUp: parts.giveUp },
    start: { handle: timer.handle, giveUp: timer.handle },
  }

  async function pass(message: unknown, to: 'handle' | 'giveUp', operation: OperationContext): Promise<void> {
    const parsed = messageSchema.safeParse(message)
    if (!parsed.success) {
      // A malformed message is dropped, because another delivery would not change it.
      operation.log('error', 'message_malformed', { why: parsed.error.message.slice(0, 500) })
      return
    }
    const { data } = parsed
    if (data.kind === 'watch') await handlers.watch[to](data, operation)
    else if (data.kind === 'part') await handlers.part[to](data, operation)
    else await handlers.start[to](data, operation)
  }

  return {
    start,
    startByTimer: timer.startByTimer,
    follow,
    followed: async () => (await readFollowed(store)).followed,
    cancel: createCancelRun({ store, queue, currentRun }),
    handle: (message, operation) => pass(message, 'handle', operation),
    giveUp: (message, operation) => pass(message, 'giveUp', operation),
    failedCustomers: createFailedCustomers(store, reader),
    readBack: createReadBack({ runs, reader, currentRun }),
    readRun,
    status: createRunStatus({ store, reader, runs, currentRun, ensure: ensure.ensure }),
    changes: createChangesFeed({ store, runs, currentRun, clock }),
    reports,
  }
}
