import { z } from 'zod'
import { isAppError } from '../errors.ts'
import { type OrderBytes, readItems, readOrder } from '../partner-center/collection.ts'
import { parseBounded } from '../partner-center/json-bytes.ts'
import { parseResponse, readNextLink, readPages } from '../partner-center/paging.ts'
import type { RequestPartnerCenter } from '../partner-center/request.ts'
import type { Clock } from '../runtime/clock.ts'
import type { OperationContext } from '../runtime/operation.ts'
import type { ShareCall } from '../runtime/shared-calls.ts'
import { lacksPriceAccess } from './read-orders.ts'

type OrderQuery = {
  /** Lower case. */
  customerTenantId: string
  orderId: string
  includePrice: boolean
  withProvisioningStatus: boolean
}

export type SingleOrder = {
  order: OrderBytes
  /** A JSON array with one element per order line. Undefined if it was not requested or does not exist. */
  provisioningStatus: Buffer | undefined
  /** Milliseconds since 1970 UTC: the start of the call. */
  asOf: number
  pricesUnavailable: boolean
}

export type ReadOrder = (query: OrderQuery, operation: OperationContext) => Promise<SingleOrder>

type Options = { request: RequestPartnerCenter; share: ShareCall; baseUrl: string; clock: Clock }

type Reading = { order: OrderBytes; asOf: number }

/**
 * Reads `GET /v1/customers/{id}/orders/{id}`, and on request its provisioning status at the same time
 * (learn.microsoft.com/partner-center/developer/get-an-order-by-id, get-subscription-provisioning-status).
 */
export function createReadOrder({ request, share, baseUrl, clock }: Options): ReadOrder {
  const read = (path: string, customerTenantId: string, operation: OperationContext): Promise<Reading> =>
    share(path, operation, async operation => {
      const asOf = clock.now()
      const { body } = await request({ path, resource: 'order' }, operation)
      return { order: parseResponse(body, body => readOrderOf(body, customerTenantId)), asOf }
    })

  async function readPriced(path: string, { customerTenantId, includePrice }: OrderQuery, operation: OperationContext) {
    if (!includePrice) return { ...(await read(path, customerTenantId, operation)), pricesUnavailable: false }
    try {
      return {
        ...(await read(`${path}?include_price=true`, customerTenantId, operation)),
        pricesUnavailable: false,
      }
    } catch (error) {
      if (!lacksPriceAccess(error)) throw error
      return { ...(await read(path, customerTenantId, operation)), pricesUnavailable: true }
    }
  }

  const readStatus = (path: string, operation: OperationContext): Promise<Buffer | undefined> =>
    share(path, operation, async operation => {
      const pieces: Buffer[] = []
      try {
        for await (const items of readPages(request, baseUrl, { path, resource: 'order' }, parseStatus, operation)) {
          if (items.length > 0) pieces.push(pieces.length === 0 ? openBracket : comma, items)
        }
      } catch (error) {
        // A missing status is no failure. The call for the order itself fails if there is no such order.
        if (isAppError(error) && error.code === 'order_not_found') return undefined
        throw error
      }
      return Buffer.concat([...(pieces.length === 0 ? [openBracket] : pieces), closeBracket])
    })

  return async (query, operation) => {
    const path = `/v1/customers/${query.customerTenantId}/orders/${encodeURIComponent(query.orderId)}`
    const [reading, provisioningStatus] = await Promise.all([
      readPriced(path, query, operation),
      query.withProvisioningStatus ? readStatus(`${path}/provisioningstatus`, operation) : undefined,
    ])
    return { ...reading, provisioningStatus }
  }
}

/** The members that identify an order of a customer (learn.microsoft.com/partner-center/developer/order-resources). */
const identitySchema = z.looseObject({
  id: z.union([z.string().min(1), z.number()]),
  referenceCustomerId: z.string().nullish(),
})

function readOrderOf(body: Buffer, customerTenantId: string): OrderBytes {
  const order = readOrder(body)
  const { referenceCustomerId } = identitySchema.parse(parseBounded(order.json))
  if (referenceCustomerId != null && referenceCustomerId.toLowerCase() !== customerTenantId) {
    throw new TypeError('The response contains an order of another customer')
  }
  return order
}

const openBracket = Buffer.from('[')
const closeBracket = Buffer.from(']')
const comma = Buffer.from(',')

function parseStatus(body: Buffer) {
  const { items, links } = readItems(body)
  return { value: items, next: links && readNextLink(links) }
}
