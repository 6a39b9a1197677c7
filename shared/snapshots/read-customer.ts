import { type Call, timeLimit, withDeadline } from '../call.ts'
import type { Clock } from '../clock.ts'
import { type AppError, type ErrorCode, isAppError, isCredentialFailure } from '../errors.ts'
import { describeError } from '../log.ts'
import type { ReadOrders } from '../orders/read-orders.ts'
import { selectOrders } from '../orders/select-orders.ts'
import type { OrderBytes } from '../partner-center/collection.ts'
import type { ChangeLine, PartHistory } from './changes.ts'
import { encodeCustomer, hashOrders } from './codec.ts'
import type { EndReason } from './part-writer.ts'
import type { FailedEntry, PlannedCustomer, PlanTail, ReadEntry } from './shapes.ts'

/** A customer as its part holds it; its place in the part is not known yet. */
export type CustomerResult = { entry: FailedEntry } | { entry: ReadEntry; member: Buffer; changes: ChangeLine[] }

/** Waits for a free connection and for its time at the pace, then does the work; both are free again when it ends. */
export type Turn = <T>(work: () => Promise<T>) => Promise<T>

type Context = {
  history: PartHistory
  plan: PlanTail
  turn: Turn
  /** How often the part went back to the queue before. */
  handedBack: number
}

/**
 * Reads one customer for a part. What is wrong with the customer or upstream ends in its entry; what is wrong with the
 * credential, our storage or the worker rejects, and so does a throttle that the part has to wait for (`HandBack`).
 */
export type ReadCustomer = (customer: PlannedCustomer, context: Context, call: Call) => Promise<CustomerResult>

type Options = {
  /** Its first request was paid for with the pace already. */
  readOrders: ReadOrders
  clock: Clock
  /** Seconds that reading one customer may take, retries included. */
  seconds: number
  /** Milliseconds since 1970 UTC at which a run is given up. */
  overdueAt: (plan: PlanTail) => number
}

type Orders = { retrievedAt: string; orders: OrderBytes[] }

/** A part that has to wait longer than it may: its message goes back with a delay. */
export class HandBack extends Error {
  override readonly name = 'HandBack'
  readonly seconds: number

  constructor(seconds: number) {
    super(`Wait ${seconds} s`)
    this.seconds = seconds
  }
}

/** A part goes back this often, each time to be read anew; then those who are still throttled count as failed. */
const mostHandBacks = 3

const openBrace = 0x7b

/** Failures of our own storage are the part's, not the customer's: the message is delivered again. */
const ofOurStorage: readonly ErrorCode[] = ['storage_unavailable', 'app_misconfigured', 'snapshot_corrupt']

export function toFailed(
  [customerTenantId, customerName]: PlannedCustomer,
  history: PartHistory,
  error: EndReason,
): FailedEntry {
  const lastRead = history.lastReadOf(customerTenantId)
  return { customerTenantId, customerName, error, ...(lastRead === undefined ? {} : { lastRead }) }
}

export function createReadCustomer({ readOrders, clock, seconds, overdueAt }: Options): ReadCustomer {
  /** How long to hand the part back for, or undefined if the customer cannot be read within this run. */
  function handBackSeconds(error: AppError, { plan, handedBack }: Context): number | undefined {
    const wait = error.options.retryAfterSeconds ?? 60
    const inTime = clock.now() + wait * 1000 < overdueAt(plan)
    return error.code === 'partner_center_throttled' && handedBack < mostHandBacks && inTime ? wait : undefined
  }

  async function readInTime(customerTenantId: string, call: Call): Promise<Orders> {
    const retrievedAt = new Date(clock.now()).toISOString()
    const query = { customerTenantId, includePrice: false, includeSystemPurchases: true }
    const { orders } = await withDeadline(clock, timeLimit(clock, seconds, call.deadline), deadline =>
      readOrders(query, { ...call, deadline }),
    )
    return { retrievedAt, orders: selectOrders(orders).filter(({ json }) => json[0] === openBrace) }
  }

  async function encode(
    [customerTenantId, customerName]: PlannedCustomer,
    { retrievedAt, orders }: Orders,
    history: PartHistory,
  ): Promise<CustomerResult> {
    const head = { customerTenantId, customerName, retrievedAt }
    const member = await encodeCustomer(head, orders)
    const sha256 = hashOrders(orders)
    const entry = { ...head, orders: orders.length, offset: 0, length: member.length, sha256 }
    const bytes = orders.map(({ json }) => json)
    return { entry, member, changes: await history.changesOf({ customerTenantId, customerName }, entry, bytes) }
  }

  return async (customer, context, call) => {
    const [customerTenantId] = customer
    const failed = (error: EndReason) => ({ entry: toFailed(customer, context.history, error) })
    /** The customer's entry, unless the failure is not the customer's. */
    const judge = (error: unknown): { entry: FailedEntry } => {
      if (call.deadline.signal.aborted) throw call.deadline.signal.reason
      if (!isAppError(error)) {
        call.log('error', 'customer_failed', { customerTenantId, why: describeError(error) })
        return failed({ code: 'internal_error', message: 'The app has failed on this customer; see its log.' })
      }
      if (isCredentialFailure(error) || ofOurStorage.includes(error.code)) throw error
      const wait = handBackSeconds(error, context)
      if (wait !== undefined) throw new HandBack(wait)
      call.log('warn', 'customer_failed', { customerTenantId, code: error.code })
      return failed({ code: error.code, message: error.message })
    }
    const answer = await context.turn(() => readInTime(customerTenantId, call).catch(judge))
    // The next customer is asked for while this one is encoded.
    return 'entry' in answer ? answer : encode(customer, answer, context.history).catch(judge)
  }
}
