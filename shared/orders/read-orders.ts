import { isAppError } from '../errors.ts'
import {
  type EnvelopeMember,
  type OrderBytes,
  readOrderCollection,
  withoutMember,
} from '../partner-center/collection.ts'
import { type NextLink, readNextLink, readPages, tooMuch } from '../partner-center/paging.ts'
import type { RequestPartnerCenter } from '../partner-center/request.ts'
import type { Clock } from '../runtime/clock.ts'
import type { OperationContext } from '../runtime/operation.ts'
import type { ShareCall } from '../runtime/shared-calls.ts'

/** The selection that Partner Center itself offers. */
export type OrdersQuery = {
  /** Lower case. */
  customerTenantId: string
  billingType?: string | undefined
  includePrice: boolean
  includeSystemPurchases: boolean
}

/** All of a customer's orders as one collection, not yet sorted. */
type CustomerOrders = {
  orders: OrderBytes[]
  /** Root members of the collection other than its items, without `links.next`. */
  envelope: EnvelopeMember[]
  /** Milliseconds since 1970 UTC: the start of the first call. */
  asOf: number
  /** True if prices were requested and the credential has no access to them. */
  pricesUnavailable: boolean
}

export type ReadOrders = (query: OrdersQuery, operation: OperationContext) => Promise<CustomerOrders>

/** More orders than any customer has. At about 300 bytes each, more would fill the memory. */
const mostOrders = 400_000

type Options = { request: RequestPartnerCenter; share: ShareCall; baseUrl: string; clock: Clock }

/**
 * Reads `GET /v1/customers/{id}/orders` (learn.microsoft.com/partner-center/developer/get-all-of-a-customer-s-orders).
 * Unless `include_system_purchases` is true, Partner Center omits orders of the system, such as renewals. Equal calls
 * at the same time share one request.
 */
export function createReadOrders({ request, share, baseUrl, clock }: Options): ReadOrders {
  async function readAll(query: OrdersQuery, operation: OperationContext): Promise<CustomerOrders> {
    const asOf = clock.now()
    const orders: OrderBytes[] = []
    let envelope: EnvelopeMember[] | undefined
    for await (const page of readPages(request, baseUrl, { path: toPath(query) }, parsePage, operation)) {
      // Not `push(...page.orders)`: a page can have more orders than a call can have arguments.
      for (const order of page.orders) orders.push(order)
      if (orders.length > mostOrders) throw tooMuch()
      envelope ??= page.envelope
    }
    return { orders, envelope: envelope ?? [], asOf, pricesUnavailable: false }
  }

  return async (query, operation) => {
    const path = toPath(query)
    return share(path, operation, async operation => {
      try {
        return await readAll(query, operation)
      } catch (error) {
        if (!query.includePrice || !lacksPriceAccess(error)) throw error
        const orders = await readAll({ ...query, includePrice: false }, operation)
        return { ...orders, pricesUnavailable: true }
      }
    })
  }
}

/** 403 with code 800043: the credential has no access to price information. */
export const lacksPriceAccess = (error: unknown): boolean =>
  isAppError(error) && error.options.upstream?.status === 403 && error.options.upstream.code === '800043'

export function toPath({ customerTenantId, billingType, includePrice, includeSystemPurchases }: OrdersQuery): string {
  const query = new URLSearchParams()
  if (billingType !== undefined) query.set('billingType', billingType === 'one_time' ? 'onetime' : billingType)
  if (includePrice) query.set('include_price', 'true')
  if (includeSystemPurchases) query.set('include_system_purchases', 'true')
  return `/v1/customers/${encodeURIComponent(customerTenantId)}/orders${query.size > 0 ? `?${query}` : ''}`
}

function parsePage(body: Buffer): {
  value: { orders: OrderBytes[]; envelope: EnvelopeMember[] }
  next: NextLink | undefined
} {
  const { items, envelope } = readOrderCollection(body)
  const links = envelope.find(({ key }) => key === 'links')
  if (links === undefined) return { value: { orders: items, envelope }, next: undefined }
  const next = readNextLink(links.json)
  if (next === undefined) return { value: { orders: items, envelope }, next: undefined }
  links.json = withoutMember(links.json, 'next')
  return { value: { orders: items, envelope }, next }
}
