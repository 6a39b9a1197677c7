import type { Call } from '../call.ts'
import type { Clock } from '../clock.ts'
import { isAppError } from '../errors.ts'
import { type OrderBytes, readItemsArray, readOrder } from '../partner-center/collection.ts'
import { parseAnswer } from '../partner-center/paging.ts'
import type { RequestPartnerCenter } from '../partner-center/request.ts'
import type { ShareCall } from '../shared-calls.ts'
import { lacksPriceAccess } from './read-orders.ts'

export type OrderQuery = {
  /** Lower case. */
  customerTenantId: string
  orderId: string
  includePrice: boolean
  withProvisioningStatus: boolean
}

export type SingleOrder = {
  order: OrderBytes
  /** A JSON array, one element per order line; undefined if not asked for or not available. */
  provisioningStatus: Buffer | undefined
  /** Milliseconds since 1970 UTC: when the reading began. */
  asOf: number
  pricesUnavailable: boolean
}

export type ReadOrder = (query: OrderQuery, call: Call) => Promise<SingleOrder>

type Options = { request: RequestPartnerCenter; share: ShareCall; clock: Clock }

/**
 * Reads `GET /v1/customers/{id}/orders/{id}` and, if asked, its provisioning status at the same time
 * (learn.microsoft.com/partner-center/developer/get-an-order-by-id, get-subscription-provisioning-status).
 */
export function createReadOrder({ request, share, clock }: Options): ReadOrder {
  const read = (path: string, call: Call): Promise<Buffer> =>
    share(path, call, async call => (await request({ path, resource: 'order' }, call)).body)

  async function readPriced(path: string, includePrice: boolean, call: Call) {
    if (!includePrice) return { body: await read(path, call), pricesUnavailable: false }
    try {
      return { body: await read(`${path}?include_price=true`, call), pricesUnavailable: false }
    } catch (error) {
      if (!lacksPriceAccess(error)) throw error
      return { body: await read(path, call), pricesUnavailable: true }
    }
  }

  async function readStatus(path: string, call: Call): Promise<Buffer | undefined> {
    try {
      return parseAnswer(await read(`${path}/provisioningstatus`, call), readItemsArray)
    } catch (error) {
      // A missing status is no failure; the order itself says whether there is one of that id.
      if (isAppError(error) && error.code === 'order_not_found') return undefined
      throw error
    }
  }

  return async ({ customerTenantId, orderId, includePrice, withProvisioningStatus }, call) => {
    const asOf = clock.now()
    const path = `/v1/customers/${customerTenantId}/orders/${encodeURIComponent(orderId)}`
    const [{ body, pricesUnavailable }, provisioningStatus] = await Promise.all([
      readPriced(path, includePrice, call),
      withProvisioningStatus ? readStatus(path, call) : undefined,
    ])
    return { order: parseAnswer(body, readOrder), provisioningStatus, asOf, pricesUnavailable }
  }
}
