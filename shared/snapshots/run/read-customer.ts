import { type AppError, type ErrorCode, isAppError, isCredentialFailure } from '../../errors.ts'
import type { ReadOrders } from '../../orders/read-orders.ts'
import { selectOrders } from '../../orders/select-orders.ts'
import type { OrderBytes } from '../../partner-center/collection.ts'
import { withWorkDeadline } from '../../rate-limit/work-deadline.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Limit } from '../../runtime/in-order.ts'
import { describeError } from '../../runtime/log.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import type { ChangeLine } from '../changes/change-lines.ts'
import type { PartHistory } from '../changes/history.ts'
import { encodeCustomer, hashOrders } from '../storage/codec.ts'
import { isUnlisted } from '../storage/plan-blob.ts'
import type { FailedEntry, Failure, GoneEntry, PlannedCustomer, ReadEntry } from '../storage/shapes.ts'
import type { CredentialProbe } from './credential-probe.ts'

/** The result of one customer. Its place in the part is not known yet. */
type CustomerResult =
  | { entry: FailedEntry }
  | { entry: GoneEntry; changes: ChangeLine[] }
  | { entry: ReadEntry; member: Buffer; changes: ChangeLine[] }

type Context = {
  history: PartHistory
  /** True if the part may wait that many seconds in the queue until the throttling ends. */
  mayWait: (seconds: number) => boolean
}

/**
 * Reads one customer for a part. A failure of the customer or of Partner Center becomes its index entry. A failure of
 * the credential, of storage or of the worker rejects. Throttling that the part has to wait for rejects with `Requeue`.
 */
export type ReadCustomer = (
  customer: PlannedCustomer,
  context: Context,
  operation: OperationContext,
) => Promise<CustomerResult>

type Options = {
  readOrders: ReadOrders
  /** Distinguishes a refused credential from a customer that refuses the app. */
  probe: CredentialProbe
  /** Limits the customers that this worker reads at once. */
  limit: Limit
  clock: Clock
  /** The most seconds for one customer, with retries and without waits for the rate limiter. */
  seconds: number
}

type Orders = { retrievedAt: string; orders: OrderBytes[] }

/** The part has to wait longer than its function may run. The message is requeued with a delay. */
export class Requeue extends Error {
  override readonly name = 'Requeue'
  readonly seconds: number

  constructor(seconds: number) {
    super(`Wait ${seconds} s`)
    this.seconds = seconds
  }
}

const openBrace = 0x7b

/** Failures of storage fail the part, not the customer. The message is delivered again. */
const storageFailures: readonly ErrorCode[] = [
  'storage_unavailable',
  'app_misconfigured',
  'snapshot_corrupt',
  'snapshot_blob_locked',
]

/** True if Partner Center does not know the customer, or it is no longer a customer of the partner. */
const isGone = ({ code, options }: AppError): boolean =>
  code === 'no_customer_relationship' || options.upstream?.status === 404

/** A 401 without a code that means the credential. */
const isBareRefusal = ({ code, options }: AppError): boolean =>
  code === 'credential_rejected' && options.upstream?.status === 401

const refusedByCustomer: Failure = {
  code: 'credential_rejected',
  message:
    'Partner Center refuses the app for this customer alone (401). Check the relationship with the customer and the role that it grants.',
}

export function createReadCustomer({ readOrders, probe, limit, clock, seconds }: Options): ReadCustomer {
  async function readInTime(customerTenantId: string, operation: OperationContext): Promise<Orders> {
    const query = { customerTenantId, includePrice: false, includeSystemPurchases: true }
    const { orders, asOf } = await withWorkDeadline(clock, seconds, operation, deadline =>
      readOrders(query, { ...operation, deadline }),
    )
    return {
      retrievedAt: new Date(asOf).toISOString(),
      orders: selectOrders(orders).filter(({ json }) => json[0] === openBrace),
    }
  }

  async function encode(
    customer: PlannedCustomer,
    { retrievedAt, orders }: Orders,
    history: PartHistory,
  ): Promise<CustomerResult> {
    const [customerTenantId, customerName] = customer
    const head = { customerTenantId, customerName, retrievedAt }
    const member = await encodeCustomer(head, orders)
    const sha256 = hashOrders(orders)
    const entry = { ...head, orders: orders.length, offset: 0, length: member.length, sha256 }
    const bytes = orders.map(({ json }) => json)
    return { entry, member, changes: await history.changesOf(customer, entry, bytes) }
  }

  return async (customer, { history, mayWait }, operation) => {
    const [customerTenantId] = customer
    const failed = (error: Failure): CustomerResult => ({ entry: history.toFailed(customer, error) })

    /** The result of a failure: an index entry, or an error that ends the part. */
    const classify = async (error: unknown): Promise<CustomerResult> => {
      if (operation.deadline.signal.aborted) throw operation.deadline.signal.reason
      if (!isAppError(error)) {
        operation.log('error', 'customer_failed', { customerTenantId, why: describeError(error) })
        return failed({ code: 'internal_error', message: 'The app failed for this customer. See its log.' })
      }
      if (storageFailures.includes(error.code)) throw error
      const isOfCustomerAlone = isBareRefusal(error) && (await probe(operation))
      if (isCredentialFailure(error) && !isOfCustomerAlone) throw error
      const wait = error.options.retryAfterSeconds ?? 60
      if (error.code === 'partner_center_throttled' && mayWait(wait)) throw new Requeue(wait)
      if (isUnlisted(customer) && isGone(error)) {
        const changes = await history.removalsOf(customer, new Date(clock.now()).toISOString())
        operation.log('info', 'customer_gone', { customerTenantId, removed: changes.length })
        return { entry: history.toGone(customer), changes }
      }
      const { code, message } = isOfCustomerAlone ? refusedByCustomer : error
      operation.log('warn', 'customer_failed', { customerTenantId, code })
      return failed({ code, message })
    }

    try {
      const orders = await limit(() => readInTime(customerTenantId, operation))
      // Encoding runs outside the limit, so that the next customer is read meanwhile.
      return await encode(customer, orders, history)
    } catch (error) {
      return classify(error)
    }
  }
}
