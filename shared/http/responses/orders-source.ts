import type { App } from '../../app.ts'
import { type ErrorCode, isAppError } from '../../errors.ts'
import type { OrdersQuery } from '../../orders/read-orders.ts'
import { selectAsUpstream } from '../../orders/select-orders.ts'
import type { EnvelopeMember, OrderBytes } from '../../partner-center/collection.ts'
import { type OperationContext, timeLimit, withDeadline } from '../../runtime/operation.ts'
import { live, type Provenance } from './orders-response.ts'

type OrdersInput = OrdersQuery & {
  /** Milliseconds since 1970 UTC. The response comes from the newest finished snapshot at or before this time. */
  asOf?: number | undefined
  /** If Partner Center is down, the response comes from the newest snapshot. */
  allowStale: boolean
}

export type SourcedOrders = {
  orders: OrderBytes[]
  envelope: EnvelopeMember[]
  provenance: Provenance
  /** Undefined if finding the name would take another call. */
  customerName: string | undefined
}

/** Failures of Partner Center, or of a service on the way to it, that `allowStale` covers. */
const outages: readonly ErrorCode[] = [
  'partner_center_unavailable',
  'partner_center_throttled',
  'partner_center_invalid_response',
  'deadline_exceeded',
  'authority_unavailable',
  'key_vault_unavailable',
]

/** The share of the deadline for the live call. The rest is for the snapshot. */
const liveShare = 0.8

/**
 * A customer's orders from the source that the caller selects: live, from a snapshot, or live with the newest snapshot
 * as a fallback.
 */
export async function readOrdersFrom(
  app: App,
  input: OrdersInput,
  operation: OperationContext,
): Promise<SourcedOrders> {
  if (input.asOf !== undefined) return readSnapshot(app, input, operation)
  if (!input.allowStale) return readLive(app, input, operation)
  const seconds = (liveShare * (operation.deadline.at - app.clock.now())) / 1000
  try {
    return await withDeadline(app.clock, timeLimit(app.clock, seconds, operation.deadline), deadline =>
      readLive(app, input, { ...operation, deadline }),
    )
  } catch (error) {
    if (!isAppError(error) || !outages.includes(error.code)) throw error
    operation.log('warn', 'answered_stale', { code: error.code })
    return await readSnapshot(app, input, operation).catch(() => {
      throw error
    })
  }
}

async function readLive(app: App, input: OrdersInput, operation: OperationContext): Promise<SourcedOrders> {
  const { readOrders, listCustomers } = await app.readers()
  const result = await readOrders(input, operation)
  const customerName = listCustomers.nameOf(input.customerTenantId)
  return { orders: result.orders, envelope: result.envelope, provenance: live(result), customerName }
}

async function readSnapshot(app: App, input: OrdersInput, operation: OperationContext): Promise<SourcedOrders> {
  const { readBack } = await app.snapshots()
  const { orders, customerName, asOf } = await readBack(input.customerTenantId, input.asOf, operation)
  return {
    orders: selectAsUpstream(orders, input),
    envelope: snapshotEnvelope(input.customerTenantId),
    // Snapshots contain no prices.
    provenance: { source: 'snapshot', asOf, pricesUnavailable: input.includePrice },
    customerName,
  }
}

/** The members that Partner Center adds to the collection of a customer's orders. */
const snapshotEnvelope = (customerTenantId: string): EnvelopeMember[] => {
  const self = { uri: `/customers/${customerTenantId}/orders`, method: 'GET', headers: [] }
  return [
    { key: 'links', json: Buffer.from(JSON.stringify({ self })) },
    { key: 'attributes', json: Buffer.from('{"objectType":"Collection"}') },
  ]
}
