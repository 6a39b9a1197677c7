import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import documentedOrders from '../../local/simulator/documented-orders.json' with { type: 'json' }
import { caseId, sendText } from '../../local/simulator/failure-cases.ts'
import { documentedCustomerId, sampleOrder } from '../../local/simulator/sample-data.ts'
import type { Collection, Problem } from '../support/http-responses.ts'
import { type RunningApp, startApp } from '../support/running-app.ts'

let app: RunningApp

beforeAll(async () => {
  app = await startApp({ storage: inject('storage'), settings: { REQUEST_DEADLINE_SECONDS: '3' } })
})
afterAll(() => app.stop())
afterEach(() => {
  app.simulator.partnerCenter.outage = undefined
  app.simulator.partnerCenter.ordersPerPage = undefined
  app.simulator.partnerCenter.pricesAllowed = true
})

const ordersUrl = (customer: string, query = '') => `${app.api}/customers/${customer}/orders${query}`
const get = (customer: string, query = '', headers = {}) => fetch(ordersUrl(customer, query), { headers })
const post = (customer: string, body: string | ReadableStream, query = '') =>
  fetch(ordersUrl(customer, query), {
    method: 'POST',
    body,
    duplex: 'half',
    headers: { 'content-type': 'application/json' },
  } as RequestInit)

const requestsFor = (customer: string) =>
  app.simulator.partnerCenter.requests.filter(({ path }) => path.includes(customer))
const customerWithOrders = (least: number) => {
  const customer = app.simulator.partnerCenter.customers.find(
    ({ orders, id }) => id !== documentedCustomerId && orders.length >= least,
  )
  if (customer === undefined) throw new Error('The sample data has no such customer')
  return customer
}

describe('the orders collection', () => {
  test('the orders collection of the documented customer is as documented, oldest order first', async () => {
    const response = await get(documentedCustomerId)

    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({
      totalCount: 2,
      items: [documentedOrders[1], documentedOrders[0]],
      links: { self: { uri: `/customers/${documentedCustomerId}/orders`, method: 'GET', headers: [] } },
      attributes: { objectType: 'Collection' },
    })
  })

  test('the orders collection has its source in the headers, and an ETag that leads to 304', async () => {
    const before = Date.now()
    const first = await get(documentedCustomerId)
    const etag = first.headers.get('etag') ?? ''
    const second = await get(documentedCustomerId, '', { 'if-none-match': `"other", W/${etag}` })

    expect(first.headers.get('content-type')).toBe('application/json')
    expect(first.headers.get('cache-control')).toBe('private, no-cache')
    expect(etag).toMatch(/^"[\w-]{20,}"$/)
    expect(second.status).toBe(304)
    expect(await second.text()).toBe('')
    for (const { headers } of [first, second]) {
      expect(headers.get('x-orders-source')).toBe('live')
      const asOf = Date.parse(headers.get('x-orders-as-of') ?? '')
      expect(asOf).toBeGreaterThanOrEqual(before)
      expect(asOf - Date.parse(headers.get('x-orders-complete-through') ?? '')).toBe(15 * 60 * 1000)
      expect(headers.get('etag')).toBe(etag)
    }
    expect((await get(documentedCustomerId, '', { 'if-none-match': '"other"' })).status).toBe(200)
  })

  test('the orders collection is repaired for callers, and keeps digits, dates and unknown members', async () => {
    const id = caseId(2)
    const body =
      '\uFEFF{ "totalCount": 9, "extra": 1.50, "items": [ {"id":"b","lineItems":null,"totalPrice":1234567890.12345678901, "note": null}, {"id":"a","creationDate":"2020-01-01T00:00:00","lineItems":[{"tags":[null,1.0],"x":null}]} ], "links": null }'
    app.simulator.partnerCenter.faults.set(id, sendText(200, 'application/json', body))

    expect(await (await get(id)).text()).toBe(
      '{"totalCount":2,"items":[{"id":"a","creationDate":"2020-01-01T00:00:00","lineItems":[{"tags":[null,1.0]}]},{"id":"b","totalPrice":1234567890.12345678901,"lineItems":[]}],"extra":1.50}',
    )
  })

  test('the orders collection is merged from all pages, without links.next', async () => {
    const customer = customerWithOrders(12)
    app.simulator.partnerCenter.ordersPerPage = 5
    const paged = (await (await get(customer.id)).json()) as Collection
    app.simulator.partnerCenter.ordersPerPage = undefined
    const whole = (await (await get(customer.id)).json()) as Collection

    expect(paged).toEqual(whole)
    expect(paged.totalCount).toBe(customer.orders.length)
    expect(paged.links).not.toHaveProperty('next')
  })

  test('the orders collection includes system orders by default, and prices only on request', async () => {
    const customer = customerWithOrders(20)
    const users = customer.orders.filter(({ transactionType }) => transactionType !== 'SystemPurchase')
    const all = (await (await get(customer.id)).json()) as Collection
    const onlyUsers = (await (
      await get(customer.id, '?includeSystemPurchases=FALSE&includePrice=')
    ).json()) as Collection
    const priced = (await (await get(customer.id, '?includePrice=true')).json()) as Collection

    expect(users.length).toBeLessThan(customer.orders.length)
    expect(all.totalCount).toBe(customer.orders.length)
    expect(onlyUsers.totalCount).toBe(users.length)
    expect(all.items.some(order => 'totalPrice' in order)).toBe(false)
    expect(priced.items.every(order => 'totalPrice' in order)).toBe(true)
  })

  test('the orders collection has no prices if the credential lacks access, and a header says so', async () => {
    app.simulator.partnerCenter.pricesAllowed = false
    const response = await get(documentedCustomerId, '?includePrice=true')

    expect(response.status).toBe(200)
    expect(response.headers.get('x-orders-prices')).toBe('unavailable')
    expect(((await response.json()) as Collection).totalCount).toBe(2)
  })

  test('the orders collection is filtered by status, creation and billing cycle', async () => {
    const query = '?status=Completed&createdFrom=2018-03-07T01:37:05.253Z&createdTo=2018-03-15T02:17:15.6455674Z'
    const one = (await (await get(documentedCustomerId, query)).json()) as Collection
    const monthly = (await (await get(documentedCustomerId, '?billingType=MONTHLY')).json()) as Collection
    await get(documentedCustomerId, '?billingType=one_time')

    expect(one.items.map(({ id }) => id)).toEqual([documentedOrders[1]?.id])
    expect(one.totalCount).toBe(1)
    expect(monthly.items.map(({ id }) => id)).toEqual([documentedOrders[1]?.id])
    expect(requestsFor(documentedCustomerId).at(-1)?.query.get('billingType')).toBe('onetime')
  })

  test('the orders collection accepts the same parameters as a JSON object', async () => {
    const customer = customerWithOrders(20)
    const byQuery = await (await get(customer.id, '?includePrice=true&status=completed')).text()
    const byBody = await post(customer.id, '{"includePrice":true,"status":"completed","billingType":null}')

    expect(byBody.status).toBe(200)
    expect(await byBody.text()).toBe(byQuery)
    expect((await fetch(ordersUrl(documentedCustomerId), { method: 'POST' })).status).toBe(200)
  })
})

describe('a request', () => {
  test('a request has the documented headers and the caller’s id upstream', async () => {
    const id = '6F9619FF-8B86-D011-B42D-00C04FC964FF'
    const response = await get(documentedCustomerId, '', { 'x-ms-correlation-id': id, 'x-ms-workflow-run-id': 'run-1' })

    expect(response.headers.get('x-correlation-id')).toBe(id)
    const sent = requestsFor(documentedCustomerId).at(-1)
    expect(sent?.headers).toMatchObject({
      'ms-correlationid': id,
      accept: 'application/json',
      'x-locale': 'en-US',
      'ms-partnercenter-application': 'partner-center-orders',
    })
    expect(sent?.headers['ms-requestid']).toMatch(/^[0-9a-f-]{36}$/)
    expect(app.events()).toContainEqual(
      expect.objectContaining({ correlationId: id, workflowRunId: 'run-1', status: 200 }),
    )
  })

  test('a request keeps its MS-RequestId for all tries', async () => {
    const id = caseId(5032)
    expect((await get(id)).status).toBe(200)

    const ids = requestsFor(id).map(({ headers }) => headers['ms-requestid'])
    expect(ids).toHaveLength(3)
    expect(new Set(ids).size).toBe(1)
  })

  test('a request shares one upstream call with equal requests at the same time', async () => {
    const customer = customerWithOrders(5)
    app.simulator.partnerCenter.latencyMs = 300
    const count = requestsFor(customer.id).length
    const answers = await Promise.all(Array.from({ length: 8 }, () => get(customer.id)))
    app.simulator.partnerCenter.latencyMs = 0

    expect(new Set(await Promise.all(answers.map(answer => answer.text()))).size).toBe(1)
    expect(requestsFor(customer.id).length - count).toBe(1)
  })

  test('a request whose token was refused gets a new one and one more try', async () => {
    app.simulator.entra.revoke('app')
    expect((await get(documentedCustomerId)).status).toBe(200)
  })
})

describe('bad input', () => {
  test.each([
    ['?billingType=weekly', 'billingType', 'one of monthly, annual'],
    ['?includePrice=1', 'includePrice', 'true or false'],
    ['?createdFrom=2026-02-30T00:00:00Z', 'createdFrom', 'timestamp with a zone'],
    ['?createdFrom=2026-02-01T00:00:00', 'createdFrom', 'timestamp with a zone'],
    ['?createdFrom=2026-02-01T00:00:00Z&createdTo=2026-02-01T01:00:00%2B01:00', 'createdTo', 'later than createdFrom'],
    ['?status=done', 'status', 'one of pending'],
    ['?Status=pending', 'Status', 'unknown'],
    ['?status=pending&status=completed', 'status', 'more than once'],
    ['?top=5', 'top', 'unknown'],
  ])('bad input %s gives a 400 that names %s', async (query, target, text) => {
    const response = await get(documentedCustomerId, query)
    const problem = (await response.json()) as Problem

    expect(response.status).toBe(400)
    expect(problem.error).toMatchObject({ code: 'invalid_request', target, message: expect.stringContaining(text) })
  })

  test('all bad parameters are listed at once, without the function key', async () => {
    const response = await get('not-a-guid', '?code=secret&status=x&foo=1')
    const { error } = (await response.json()) as Problem

    expect(error.details?.map(({ target }) => target)).toEqual(['foo', 'customerTenantId', 'status'])
    expect((await get(documentedCustomerId, '?code=secret')).status).toBe(200)
  })

  test.each([
    ['[]', 'body'],
    ['{"status":', 'body'],
    ['"text"', 'body'],
    [`{"status":"${'x'.repeat(64 * 1024)}"}`, 'body'],
    ['{"status":["completed"]}', 'status'],
    ['{"status":[]}', 'status'],
    ['{"includePrice":[]}', 'includePrice'],
    ['{"state":"completed"}', 'state'],
  ])('a body %.20s gives a 400 that names %s', async (body, target) => {
    const response = await post(documentedCustomerId, body)

    expect(response.status).toBe(400)
    expect(((await response.json()) as Problem).error.target).toBe(target)
  })

  test('a name in query and body is a repeated parameter, and a chunked body is an error', async () => {
    const twice = await post(documentedCustomerId, '{"status":"pending"}', '?status=pending')
    const chunked = await post(documentedCustomerId, new Blob(['{"status":"pending"}']).stream())

    expect(((await twice.json()) as Problem).error.target).toBe('status')
    expect(chunked.status).toBe(400)
    expect(((await chunked.json()) as Problem).error.message).toContain('chunked')
  })

  test('an unknown address or method gives an error of the same shape', async () => {
    for (const [method, path] of [
      ['GET', '/nothing'],
      ['DELETE', `/customers/${documentedCustomerId}/orders`],
      ['GET', ''],
    ] as const) {
      const response = await fetch(app.api + path, { method })
      expect(response.status).toBe(404)
      expect(((await response.json()) as Problem).error.code).toBe('route_not_found')
    }
  })
})

test('authority and base URL can use http on loopback', async () => {
  const plain = await startApp({
    storage: inject('storage'),
    prepare: ({ settings, plainUrl }) =>
      Object.assign(settings, { AZURE_AUTHORITY_HOST: plainUrl, PARTNER_CENTER_BASE_URL: `${plainUrl}/` }),
  })
  const response = await fetch(`${plain.api}/customers/${documentedCustomerId}/orders`)
  await plain.stop()

  expect(response.status).toBe(200)
})

test('the sample data is the same at each start', () => {
  expect(sampleOrder('a', 1)).toEqual(sampleOrder('a', 1))
  expect(sampleOrder('a', 1)).not.toEqual(sampleOrder('a', 2))
})
