import { parse } from 'csv-parse/sync'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { refuse } from '../../local/simulator/failure-cases.ts'
import { documentedCustomerId, type SimulatedCustomer, sampleOrder } from '../../local/simulator/sample-data.ts'
import type { OrderLine } from '../../shared/orders/order-lines.ts'
import { type Page, readPages } from '../support/http-responses.ts'
import { type RunningApp, startApp } from '../support/running-app.ts'

let app: RunningApp
let customer: SimulatedCustomer

beforeAll(async () => {
  app = await startApp({ storage: inject('storage'), simulator: { customers: 1203 } })
  const found = app.simulator.partnerCenter.customers.find(
    ({ id, orders }) => id !== documentedCustomerId && orders.length > 20,
  )
  if (found === undefined) throw new Error('The sample data has no such customer')
  customer = found
})
afterAll(() => app.stop())
afterEach(() => {
  app.simulator.partnerCenter.outage = undefined
  app.simulator.partnerCenter.pricesAllowed = true
})

type Problem = { error: { code: string; message: string; target?: string } }

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(path.startsWith('http') ? path : app.api + path, { headers })

const pages = <T>(path: string, headers: Record<string, string> = {}) => readPages<T>(app.api + path, headers)

const error = async (response: Response) => ((await response.json()) as Problem).error
const lines = (id = customer.id, query = '') => `/customers/${id}/order-lines${query}`

describe('get-customer-order', () => {
  const path = (query = '') => `/customers/${customer.id}/orders/${customer.orders[0]?.id}${query}`

  test('get-customer-order returns one order with the headers of orders', async () => {
    const response = await get(path())
    const { totalPrice: _, lineItems, ...order } = customer.orders[0] ?? sampleOrder('', 0)

    expect(await response.json()).toEqual({ ...order, lineItems: lineItems?.map(({ pricing: _, ...line }) => line) })
    expect(response.headers.get('x-orders-source')).toBe('live')
    const again = await get(path(), { 'if-none-match': response.headers.get('etag') ?? '' })
    expect(again.status).toBe(304)
  })

  test('get-customer-order adds the provisioning status and prices on request', async () => {
    const order = (await (await get(path('?expand=ProvisioningStatus&includePrice=true'))).json()) as Record<
      string,
      unknown
    >

    expect(order.totalPrice).toBe(customer.orders[0]?.totalPrice)
    expect(order.provisioningStatus).toEqual(
      (customer.orders[0]?.lineItems ?? []).map(({ lineItemNumber }) =>
        expect.objectContaining({ lineItemNumber, status: 'Fulfilled' }),
      ),
    )
  })

  test('get-customer-order omits a missing provisioning status and unavailable prices', async () => {
    app.simulator.partnerCenter.pricesAllowed = false
    app.simulator.partnerCenter.outage = (exchange, proceed) =>
      exchange.request.path.endsWith('/provisioningstatus')
        ? refuse(404, '800007', 'No provisioning.')(exchange, proceed)
        : proceed()
    const response = await get(path('?expand=provisioningStatus&includePrice=true'))

    expect(response.status).toBe(200)
    expect(response.headers.get('x-orders-prices')).toBe('unavailable')
    expect(await response.json()).not.toHaveProperty('provisioningStatus')
  })

  test.each([
    [refuse(403, '2032', 'Denied.'), 403, 'partner_center_forbidden'],
    [refuse(400, '3000', 'Bad.'), 502, 'partner_center_invalid_response'],
  ])('get-customer-order reports why the provisioning status was refused (%#)', async (fault, status, code) => {
    app.simulator.partnerCenter.outage = (exchange, proceed) =>
      exchange.request.path.endsWith('/provisioningstatus') ? fault(exchange, proceed) : proceed()
    const response = await get(path('?expand=provisioningStatus'))
    expect(response.status).toBe(status)
    expect((await error(response)).code).toBe(code)
  })

  test.each([
    ['/customers/{c}/orders/unknown-order', 404, 'order_not_found'],
    ['/customers/99999999-9999-4999-8999-999999999999/orders/x', 404, 'customer_not_found'],
    ['/customers/{c}/orders/..%2F..%2Fcustomers', 400, 'invalid_request'],
    ['/customers/{c}/orders/x?expand=everything', 400, 'invalid_request'],
    ['/customers/{c}/orders/x?status=pending', 400, 'invalid_request'],
  ])('get-customer-order returns for %s the error %i %s', async (path, status, code) => {
    const response = await get(path.replace('{c}', customer.id))
    expect(response.status).toBe(status)
    expect((await error(response)).code).toBe(code)
  })
})

describe('list-order-lines', () => {
  test('list-order-lines has the customer name if it is known without another call', async () => {
    const namesOf = async () =>
      new Set((await pages<OrderLine>(lines())).flat().map(({ customerName }) => customerName))
    const { requests } = app.simulator.partnerCenter
    await get('/customers?top=1')
    const before = requests.length
    expect(await namesOf()).toEqual(new Set([customer.companyName]))
    expect(requests.slice(before).every(({ path }) => path.includes('/orders'))).toBe(true)
    const [head = '', first = ''] = (await (await get(lines(customer.id, '?format=csv'))).text()).split('\r\n')
    expect(first.split(',')[head.split(',').indexOf('customerName')]).toBe(customer.companyName)
  })

  test('list-order-lines gives one flat row per line, by order and line number', async () => {
    const [rows = []] = await pages<OrderLine>(lines(customer.id, '?includePrice=true&top=1000'))
    const expected = customer.orders.reduce((sum, { lineItems }) => sum + (lineItems?.length ?? 0), 0)

    expect(rows).toHaveLength(expected)
    const times = rows.map(({ orderedAt = '9' }) => orderedAt)
    expect(times).toEqual([...times].sort())
    for (const row of rows) {
      const order = customer.orders.find(({ id }) => id === row.orderId)
      const line = order?.lineItems?.[row.lineNumber]
      expect(row).toMatchObject({
        customerTenantId: customer.id,
        offerId: line?.offerId,
        quantity: line?.quantity,
        creationDate: order?.creationDate,
      })
      expect(row.isCancelled).toBe(row.quantity === 0)
      expect(row.subscriptionId).toBe(String(line?.subscriptionId).toLowerCase())
      expect(typeof row.extendedPrice).toBe('number')
    }
    const modern = rows.find(({ isNewCommerce, termDuration }) => isNewCommerce && termDuration === 'P1Y')
    expect(modern).toMatchObject({ termMonths: 12, renewalTermDuration: 'P1Y' })
    expect([modern?.productId, modern?.skuId, modern?.availabilityId].join(':')).toBe(modern?.offerId)
  })

  test('list-order-lines pages through absolute links that keep the filters, to the same rows', async () => {
    const [whole = []] = await pages<OrderLine>(lines(customer.id, '?status=completed'))
    const parts = await pages<OrderLine>(lines(customer.id, '?status=completed&top=7&code=secret&billingType='))

    expect(parts.flat()).toEqual(whole)
    expect(parts.slice(0, -1).every(({ length }) => length === 7)).toBe(true)
    const first = (await (
      await get(lines(customer.id, '?status=completed&top=7&code=secret'))
    ).json()) as Page<OrderLine>
    expect(first.nextLink).toMatch(new RegExp(`^${app.api}${lines()}\\?status=completed&top=7&cursor=[\\w-]+$`))
  })

  test('list-order-lines accepts a cursor while orders are added at the end, and gives 410 when earlier rows change', async () => {
    const added = { ...sampleOrder(customer.id, 9999), creationDate: '2026-11-20T00:00:00Z' }
    const first = (await (await get(lines(customer.id, '?top=5'))).json()) as Page<OrderLine>
    customer.orders.push(added)
    const next = (await (await get(`${first.nextLink}`.replace('top=5', 'top=1000'))).json()) as Page<OrderLine>
    const all = (await (await get(lines(customer.id, '?top=1000'))).json()) as Page<OrderLine>
    customer.orders.pop()

    expect([...first.value, ...next.value]).toEqual(all.value)

    const oldest = customer.orders.find(({ id }) => id === first.value[0]?.orderId)
    const status = oldest?.status
    Object.assign(oldest ?? {}, { status: 'changed' })
    const expired = await get(first.nextLink ?? '')
    Object.assign(oldest ?? {}, { status })

    expect(expired.status).toBe(410)
    expect(await error(expired)).toMatchObject({
      code: 'cursor_expired',
      message: expect.stringContaining('without a cursor'),
    })
  })

  test('list-order-lines refuses a cursor that was edited or belongs elsewhere', async () => {
    const { nextLink = '' } = (await (await get(lines(customer.id, '?top=5'))).json()) as Page<OrderLine>
    const cursor = new URL(nextLink).searchParams.get('cursor') ?? ''
    const edited = cursor.slice(0, -1) + (cursor.endsWith('A') ? 'B' : 'A')
    for (const path of [
      lines(customer.id, `?cursor=${edited}`),
      lines(customer.id, '?cursor=abc'),
      lines(documentedCustomerId, `?cursor=${cursor}`),
      lines(customer.id, `?cursor=${cursor}&status=pending`),
      lines(customer.id, `?cursor=${cursor}&format=csv`),
      `/customers?cursor=${cursor}`,
    ]) {
      const response = await get(path)
      expect(response.status, path).toBe(400)
      expect((await error(response)).target).toBe('cursor')
    }
  })

  test('list-order-lines refuses a cursor before it calls Partner Center', async () => {
    const { partnerCenter } = app.simulator
    const { nextLink = '' } = (await (await get(lines(customer.id, '?top=5'))).json()) as Page<OrderLine>
    const cursor = new URL(nextLink).searchParams.get('cursor') ?? ''
    partnerCenter.outage = refuse(404, '60003', 'No such customer.')
    const before = partnerCenter.requests.length
    for (const path of [
      lines('99999999-9999-4999-8999-999999999999', `?cursor=${cursor}`),
      lines(customer.id, `?cursor=${cursor}&asOf=2026-01-01`),
      '/customers?cursor=abc',
    ]) {
      const response = await get(path)
      expect(response.status, path).toBe(400)
      expect((await error(response)).target).toBe('cursor')
    }
    expect(partnerCenter.requests.length).toBe(before)
  })

  test('list-order-lines builds links on a gateway only if it is a known one', async () => {
    const prefix = 'https://default-1.02.common.azure-apihub.net/apim/shared-orders/conn-1'
    const link = async (headers: Record<string, string>) =>
      ((await (await get(lines(customer.id, '?top=5'), headers)).json()) as Page<OrderLine>).nextLink
    expect(await link({ 'x-ms-apim-referrer-prefix': `${prefix}/` })).toMatch(new RegExp(`^${prefix}/api/customers/`))
    for (const hostile of [
      'https://evil.example/apim/x',
      'http://a.azure-apihub.net/apim/x',
      'https://azure-apihub.net.evil.example/x',
      'https://a.azure-apihub.net@evil.example/x',
      'https://user:pass@a.azure-apihub.net/x',
      'https://xazure-apihub.net/x',
      'javascript:alert(1)',
    ]) {
      expect(await link({ 'x-ms-apim-referrer-prefix': hostile, 'x-forwarded-host': 'evil.example' })).toMatch(
        new RegExp(`^${app.api}/`),
      )
    }
  })

  test('list-order-lines returns all rows as one CSV file that a parser reads back', async () => {
    const response = await get(lines(customer.id, '?format=CSV&includePrice=true'))
    const bytes = Buffer.from(await response.arrayBuffer())
    const [rows = []] = await pages<OrderLine>(lines(customer.id, '?includePrice=true&top=1000'))
    const parsed: Record<string, string>[] = parse(bytes, { columns: true, bom: true, record_delimiter: '\r\n' })

    expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf])
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(response.headers.get('content-disposition')).toMatch(
      /^attachment; filename="order-lines-[0-9a-f-]{36}-\d{4}-\d\d-\d\d\.csv"$/,
    )
    expect(response.headers.get('etag')).not.toBeNull()
    const texts = rows.map(row => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, String(value)])))
    expect(parsed.map(row => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== '')))).toEqual(
      texts,
    )
  })

  test.each(['?top=0', '?top=1001', '?top=ten', '?format=xml'])('list-order-lines returns 400 for %s', async query => {
    expect((await get(lines(customer.id, query))).status).toBe(400)
  })
})
