import { randomUUID } from 'node:crypto'
import { type ActivityLog, createActivityLog } from './activity-log.ts'
import type { Entra } from './entra.ts'
import { caseId, type Fault, failureCases } from './failure-cases.ts'
import { type Exchange, type RecordedRequest, sendJson } from './recorder.ts'
import type { SimulatedCustomer, SimulatedOrder } from './sample-data.ts'

/** The customers and orders of Partner Center, as documented. Tests change its state directly. */
export type PartnerCenter = {
  customers: SimulatedCustomer[]
  activity: ActivityLog
  /** A fault for the activity log only, such as a role without access to it. */
  activityFault: Fault | undefined
  /** Faults by lower-case customer id. */
  faults: Map<string, Fault>
  /** A fault for every request. */
  outage: Fault | undefined
  audience: string
  /** The largest page of customers and, if set, of orders. */
  customersPerPage: number
  ordersPerPage: number | undefined
  /** The prefix of `links.next`. The service has used both `/customers` and `/v1/customers`. */
  linkPrefix: '' | '/v1'
  latencyMs: number
  pricesAllowed: boolean
  /** If true, user tokens without MFA are refused. */
  mfaEnforced: boolean
  /** All requests to the API, in the order of arrival. */
  requests: RecordedRequest[]
  serve: (exchange: Exchange) => Promise<boolean>
}

export function createPartnerCenter(
  entra: Entra,
  customers: SimulatedCustomer[],
  audience: string,
  now: () => number,
): PartnerCenter {
  const partnerCenter: PartnerCenter = {
    customers,
    activity: createActivityLog(() => partnerCenter.linkPrefix, now),
    activityFault: undefined,
    faults: new Map(failureCases().map(({ digits, fault }) => [caseId(digits), fault])),
    outage: undefined,
    audience,
    customersPerPage: 500,
    ordersPerPage: undefined,
    linkPrefix: '',
    latencyMs: 0,
    pricesAllowed: true,
    mfaEnforced: true,
    requests: [],
    async serve(exchange) {
      const { request, response } = exchange
      if (!request.path.startsWith('/v1/')) return false
      partnerCenter.requests.push(request)
      if (partnerCenter.latencyMs > 0) await new Promise(resolve => setTimeout(resolve, partnerCenter.latencyMs))
      response.setHeader('ms-requestid', request.headers['ms-requestid'] ?? randomUUID())
      response.setHeader('ms-correlationid', request.headers['ms-correlationid'] ?? randomUUID())
      const refusal = refuseToken(request, response)
      if (refusal !== undefined)
        return sendJson(response, 401, { code: refusal, description: 'Token refused.', data: [], source: 'PartnerFD' })
      const isOfLog = request.path === activityPath
      const fault =
        partnerCenter.outage ??
        (isOfLog ? partnerCenter.activityFault : partnerCenter.faults.get(customerIdOf(request.path)))
      if (fault === undefined) answer(exchange)
      else fault(exchange, () => answer(exchange))
      return true
    },
  }

  function refuseToken({ headers }: RecordedRequest, response: Exchange['response']): string | undefined {
    const token = entra.tokens.get(headers.authorization?.replace(/^Bearer /, '') ?? '')
    if (token === undefined || token.expiresAt < now()) return '800001'
    if (token.audience !== partnerCenter.audience) return '900420'
    if (token.kind !== 'user') return undefined
    if (headers.validatemfa === 'true') response.setHeader('isMfaCompliant', String(token.mfa))
    return partnerCenter.mfaEnforced && !token.mfa ? '900421' : undefined
  }

  function answer(exchange: Exchange): unknown {
    const { request, response } = exchange
    if (request.path === activityPath) return partnerCenter.activity.list(exchange)
    const [, , , customerId, resource, orderId, part] = request.path.split('/')
    if (customerId === undefined || customerId === '') return listCustomers(exchange)
    const customer =
      partnerCenter.customers.find(({ id }) => id === customerId.toLowerCase()) ?? caseCustomer(customerId)
    if (customer === undefined) {
      return sendJson(response, 404, {
        code: '60003',
        description: 'Customer tenant not found.',
        data: [],
        source: 'PartnerFD',
      })
    }
    if (resource !== 'orders') return sendJson(response, 404, { code: 1000, description: 'Not found.' })
    if (request.query.get('include_price')?.toLowerCase() === 'true' && !partnerCenter.pricesAllowed) {
      return sendJson(response, 403, {
        code: '800043',
        description: 'No access to prices.',
        data: [],
        source: 'PartnerFD',
      })
    }
    if (orderId === undefined || orderId === '') return listOrders(exchange, customer)
    const order = customer.orders.find(({ id }) => id === decodeURIComponent(orderId))
    if (order === undefined) {
      return sendJson(response, 404, {
        code: '20000',
        description: 'Order not found.',
        data: [],
        source: 'PartnerFD',
      })
    }
    if (part === 'provisioningstatus') return sendJson(response, 200, provisioningStatus(order))
    sendJson(response, 200, present(order, request.query))
  }

  function listCustomers({ request, response }: Exchange): unknown {
    const size = Math.min(
      Number(request.query.get('size') ?? 0) || partnerCenter.customersPerPage,
      partnerCenter.customersPerPage,
    )
    const token = request.headers['ms-continuationtoken']
    const from = token === undefined ? 0 : Number(Buffer.from(token, 'base64').toString())
    if (from > 0 && from >= partnerCenter.customers.length)
      return sendJson(response, 400, { code: 2000, message: 'Beyond the end.' })
    const page = partnerCenter.customers.slice(from, from + size)
    const next = Buffer.from(String(from + size)).toString('base64')
    const isLast = from + size >= partnerCenter.customers.length
    sendJson(response, 200, {
      totalCount: page.length,
      items: page.map(toCustomerItem),
      links: {
        self: { uri: `${partnerCenter.linkPrefix}/customers?size=${size}`, method: 'GET', headers: [] },
        ...(isLast
          ? {}
          : {
              next: {
                uri: `${partnerCenter.linkPrefix}/customers?size=${size}&seekOperation=Next`,
                method: 'GET',
                headers: [{ key: 'MS-ContinuationToken', value: next }],
              },
            }),
      },
      attributes: { objectType: 'Collection' },
    })
  }

  function listOrders({ request, response }: Exchange, customer: SimulatedCustomer): void {
    const { query } = request
    const billingType = query.get('billingType')?.replace('_', '').toLowerCase()
    const system = query.get('include_system_purchases')?.toLowerCase() === 'true'
    const orders = customer.orders
      .filter(
        ({ billingCycle }) => billingType === undefined || billingCycle.replace('_', '').toLowerCase() === billingType,
      )
      .filter(({ transactionType }) => system || transactionType !== 'SystemPurchase')
    const from = Number(query.get('from') ?? 0)
    const size = partnerCenter.ordersPerPage ?? orders.length
    const page = orders.slice(from, from + size)
    const self = `${partnerCenter.linkPrefix}/customers/${customer.id}/orders`
    const following = new URLSearchParams(query)
    following.set('from', String(from + size))
    sendJson(response, 200, {
      totalCount: page.length,
      items: page.map(order => present(order, query)),
      links: {
        self: { uri: self, method: 'GET', headers: [] },
        ...(from + size < orders.length ? { next: { uri: `${self}?${following}`, method: 'GET', headers: [] } } : {}),
      },
      attributes: { objectType: 'Collection' },
    })
  }

  return partnerCenter
}

const activityPath = '/v1/auditrecords'

const customerIdOf = (path: string): string => (path.split('/')[3] ?? '').toLowerCase()

/** A case that passes some requests then has no orders. */
const caseCustomer = (id: string): SimulatedCustomer | undefined =>
  id.startsWith('00000000-0000-4000-8000-')
    ? { id, companyName: `Case ${Number(id.slice(-12))}`, domain: 'case.example', relationship: 'reseller', orders: [] }
    : undefined

const toCustomerItem = ({ id, companyName, domain, relationship }: SimulatedCustomer) => ({
  id,
  commerceId: id,
  companyProfile: { tenantId: id, domain, companyName, attributes: { objectType: 'CustomerCompanyProfile' } },
  relationshipToPartner: relationship,
  attributes: { objectType: 'Customer' },
})

/** Prices are only included on request. */
function present(order: SimulatedOrder, query: URLSearchParams): unknown {
  if (query.get('include_price')?.toLowerCase() === 'true') return order
  const { totalPrice: _, ...rest } = order
  return {
    ...rest,
    ...(order.lineItems === undefined ? {} : { lineItems: order.lineItems.map(({ pricing: _, ...line }) => line) }),
  }
}

const provisioningStatus = (order: SimulatedOrder) => ({
  totalCount: order.lineItems?.length ?? 0,
  items: (order.lineItems ?? []).map(({ lineItemNumber, quantity }) => ({
    lineItemNumber,
    status: 'Fulfilled',
    quantityProvisioningInformation: [{ quantity, status: 'Fulfilled' }],
    attributes: { objectType: 'OrderLineItemProvisioningStatus' },
  })),
  attributes: { objectType: 'Collection' },
})
