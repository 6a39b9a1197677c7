import { isAppError } from '../../errors.ts'
import type { News, ReadLog } from '../../following/read-log.ts'
import { dayMs } from '../../formats/days.ts'
import type { Clock } from '../../runtime/clock.ts'
import { inOrder } from '../../runtime/in-order.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import { readHistory } from '../changes/history.ts'
import { type CurrentRun, findLatest } from '../storage/current-run.ts'
import { type Followed, type FollowedState, logMissing, readFollowed, writeFollowed } from '../storage/followed.ts'
import { toSnapshotId } from '../storage/layout.ts'
import { type Plan, planned } from '../storage/plan-blob.ts'
import type { SnapshotReader } from '../storage/reader.ts'
import { type Current, isRead, type PlannedCustomer } from '../storage/shapes.ts'
import type { Store } from '../storage/store.ts'
import { dueCustomers, firstUncovered } from './due-customers.ts'
import type { ReadKnown } from './known-customers.ts'
import type { ReadCustomer } from './read-customer.ts'
import type { Earlier, StartRun } from './start.ts'

/** Reads the activity log, and starts a run over the customers whose orders differ from their newest reading. */
export type Follow = (operation: OperationContext) => Promise<void>

type Options = {
  store: Store
  reader: SnapshotReader
  currentRun: CurrentRun
  clock: Clock
  readLog: ReadLog
  readCustomer: ReadCustomer
  readEarlier: (before: Current | undefined) => Promise<Earlier>
  readNewer: ReadKnown['newer']
  start: StartRun
  /** False in clouds without an activity log. */
  hasLog: boolean
  configuredCustomers: readonly string[] | undefined
  concurrency: number
  /** The most customers that one tick reads. The others wait for the next tick. */
  mostCustomers: number
}

/** Partner Center keeps the log for 90 days and refuses an earlier start date. */
const mostBackMs = 89 * dayMs

/** The period before the position that is read again, because records can arrive late. */
const overlapMs = 30 * 60_000

/**
 * The longest time for which customers that cannot be read keep the position back. A snapshot reads them within that
 * time.
 */
const maxHeldMs = dayMs

const noLog = {
  code: logMissing,
  message: 'Partner Center has no activity log in this cloud. Only snapshots report changes.',
}

/** The result of reading some customers. */
type ReadResult = {
  /** Customers whose orders differ. */
  changed: PlannedCustomer[]
  /** When the other customers were read or refused, in milliseconds since 1970 UTC. */
  readings: Map<string, number>
}

export function createFollow(options: Options): Follow {
  const { store, reader, currentRun, clock, readLog, readCustomer, readEarlier, readNewer, start, concurrency } =
    options

  const iso = (at: number): string => new Date(at).toISOString()

  /** Logs one warning a day. With a tick every few minutes, more would fill the log. */
  async function fail(
    state: FollowedState,
    error: { code: string; message: string },
    operation: OperationContext,
  ): Promise<void> {
    const { followed } = state
    const { code, message } = error
    const at = iso(clock.now())
    const isDue = followed.warnedAt === undefined || clock.now() - Date.parse(followed.warnedAt) >= dayMs
    if (!isDue && followed.error?.code === code && code === noLog.code) return
    if (isDue) operation.log('warn', 'following_stopped', { code, message })
    await writeFollowed(store, { ...followed, error: { code, message, at }, ...(isDue ? { warnedAt: at } : {}) }, state)
  }

  /** The start of the period to read: the position, or the newest snapshot if the position is unknown or too old. */
  async function positionOf({ position }: Followed, operation: OperationContext): Promise<number | undefined> {
    const oldest = clock.now() - mostBackMs
    if (position !== undefined && Date.parse(position) >= oldest) return Date.parse(position)
    const latest = await findLatest(store)
    if (latest === undefined) return undefined
    operation.log(position === undefined ? 'info' : 'warn', 'following_starts', { position, from: latest.asOf })
    return Math.max(Date.parse(latest.asOf), oldest + overlapMs)
  }

  /** The last reading of each customer in the log, as far as it is known without a storage call. */
  function knownReadings({ readings }: Followed, current: Current | undefined, news: News): Map<string, number> {
    const known = new Map(Object.entries(readings).filter(([id]) => news.has(id)))
    if (current?.following === true && current.ended === 'succeeded') {
      for (const [id] of current.customers ?? []) {
        const at = Date.parse(current.startedAt)
        if (news.has(id)) known.set(id, Math.max(known.get(id) ?? 0, at))
      }
    }
    return known
  }

  /** Reads customers and compares them with their newest reading, as a part of a run does. */
  async function readChanged(
    ids: readonly string[],
    news: News,
    { base, previous }: Earlier,
    operation: OperationContext,
  ): Promise<ReadResult> {
    const newer = await readNewer(previous, base, operation)
    const customers = [...ids].sort().map(id => planned(id, news.get(id)?.customerName ?? '', true, newer))
    const now = clock.now()
    const snapshotId = toSnapshotId(now)
    const head = { snapshotId, startedAt: iso(now), trigger: 'timer', partial: false, following: true } as const
    const plan: Plan = { ...head, ...(base === undefined ? {} : { base }), parts: [], start: 0 }
    const history = await readHistory({ reader, plan, customers, operation })
    const found: ReadResult = { changed: [], readings: new Map() }
    const stopReading = new AbortController()
    const signal = AbortSignal.any([operation.deadline.signal, stopReading.signal])
    const readOperation: OperationContext = { ...operation, deadline: { ...operation.deadline, signal } }
    const mayWait = () => false
    try {
      const results = inOrder(customers, concurrency, async customer => ({
        customer,
        result: await readCustomer(customer, { history, mayWait }, readOperation),
      }))
      for await (const { customer, result } of results) {
        const { entry } = result
        if (isRead(entry)) {
          if ('changes' in result && result.changes.length > 0) found.changed.push(customer)
          else found.readings.set(customer[0], Date.parse(entry.retrievedAt))
        } else if ('error' in entry) {
          // While the service throttles, more requests prolong the throttling. The other customers wait for the next
          // tick.
          if (entry.error.code === 'partner_center_throttled') break
          if (!mayClear(entry.error.code)) found.readings.set(customer[0], clock.now())
        }
      }
      return found
    } finally {
      stopReading.abort(new Error('The reading of the log has ended'))
    }
  }

  async function follow(
    state: FollowedState,
    current: Current | undefined,
    operation: OperationContext,
  ): Promise<void> {
    const position = await positionOf(state.followed, operation)
    if (position === undefined) {
      operation.log('info', 'following_waits', { why: 'There is no snapshot yet' })
      return
    }
    const now = clock.now()
    const { news, isCut } = await readLog(position - overlapMs, operation)
    const { configuredCustomers } = options
    for (const id of news.keys()) if (configuredCustomers?.includes(id) === false) news.delete(id)
    const known = knownReadings(state.followed, current, news)
    const due = dueCustomers(news, known, now)
    const { changed, readings: read } =
      due.length === 0
        ? { changed: [], readings: new Map<string, number>() }
        : await readChanged(due.slice(0, options.mostCustomers), news, await readEarlier(current), operation)
    if (changed.length > 0) await start('timer', changed, operation, { following: true })
    // The position moves past an operation only after a run with its changes has ended. Until then, the next tick reads
    // the customer again.
    const unread = due.filter(id => !read.has(id))
    const held = unread.map(id => firstUncovered(news.get(id)?.at ?? [], known.get(id), now - maxHeldMs))
    const next = isCut ? position : Math.max(position, Math.min(now, ...held))
    const { error: _, ...rest } = state.followed
    const followed = {
      ...rest,
      position: iso(next),
      readAt: iso(now),
      readings: Object.fromEntries([...known, ...read]),
    }
    await writeFollowed(store, followed, state)
    const lagMinutes = Math.round((now - next) / 60_000)
    operation.log('info', 'orders_followed', {
      position: iso(next),
      lagMinutes,
      customers: due.length,
      changed: changed.length,
    })
  }

  return async operation => {
    const [state, { current }] = await Promise.all([readFollowed(store), currentRun.read()])
    if (!options.hasLog) return fail(state, noLog, operation)
    if (current !== undefined && current.ended === undefined) {
      operation.log('info', 'following_waits', { running: current.snapshotId })
      return
    }
    try {
      await follow(state, current, operation)
    } catch (error) {
      if (!isAppError(error) || storageFailures.includes(error.code)) throw error
      await fail(state, error, operation)
    }
  }
}

const storageFailures: readonly string[] = ['storage_unavailable', 'app_misconfigured', 'snapshot_blob_locked']

/** Failures that may clear without intervention. */
const mayClear = (code: string): boolean =>
  ['partner_center_throttled', 'partner_center_unavailable', 'deadline_exceeded'].includes(code)
