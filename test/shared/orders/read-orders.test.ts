import { describe, expect, test } from 'vitest'
import { AppError } from '../../../shared/errors.ts'
import { createReadOrders, lacksPriceAccess, type OrdersQuery, toPath } from '../../../shared/orders/read-orders.ts'
import type { PartnerRequest, RequestPartnerCenter } from '../../../shared/partner-center/request.ts'
import { createShareCall } from '../../../shared/runtime/shared-calls.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { createOperation } from '../../support/operations.ts'

const customer = 'b0d70a69-4c42-4b27-b17b-91a835d8686a'
const plain: OrdersQuery = { customerTenantId: customer, includePrice: false, includeSystemPurchases: false }
const priced = { ...plain, includePrice: true }

describe('the path of a customer’s orders', () => {
  test.each([
    [{}, ''],
    [{ billingType: 'monthly' }, '?billingType=monthly'],
    [{ billingType: 'one_time' }, '?billingType=onetime'],
    [{ includePrice: true }, '?include_price=true'],
    [{ includeSystemPurchases: true }, '?include_system_purchases=true'],
    [
      { billingType: 'none', includePrice: true, includeSystemPurchases: true },
      '?billingType=none&include_price=true&include_system_purchases=true',
    ],
  ])('the path of orders for %j ends with "%s"', (query, expected) => {
    expect(toPath({ ...plain, ...query })).toBe(`/v1/customers/${customer}/orders${expected}`)
  })

  test('the path of orders has any id as one segment', () => {
    expect(toPath({ ...plain, customerTenantId: 'a/../b?c' })).toBe('/v1/customers/a%2F..%2Fb%3Fc/orders')
  })
})

const refusal = (code?: string, status = 403) =>
  new AppError('partner_center_forbidden', 'refused', { upstream: { status, code } })

/** A reader whose pages are bodies or failures, in turn. */
function reader(...pages: (string | Error)[]) {
  const asked: PartnerRequest[] = []
  const clock = createFakeClock()
  const request: RequestPartnerCenter = async partnerRequest => {
    asked.push(partnerRequest)
    const page = pages[asked.length - 1]
    await clock.advance(1000)
    if (page === undefined || page instanceof Error) throw page ?? new Error('One page too many')
    return { status: 200, headers: {}, body: Buffer.from(page) }
  }
  const read = createReadOrders({ request, share: createShareCall(clock), baseUrl: 'https://api.example.com', clock })
  return { read, asked, clock, startedAt: clock.now() }
}

const readable = ({ orders, envelope, ...rest }: Awaited<ReturnType<ReturnType<typeof createReadOrders>>>) => ({
  ...rest,
  orders: orders.map(({ json }) => json.toString()),
  envelope: envelope.map(({ key, json }) => `${key}=${json}`),
})

describe('a customer’s orders', () => {
  test('a customer’s orders keep their bytes and the rest of the collection', async () => {
    const { read, startedAt } = reader(
      '{"totalCount":7,"items":[{"id":"b","x":null},null,{"id":"a","lineItems":[]}],"links":{"self":{"uri":"/o","n":1.0}},"attributes":{"a":1.50}}',
    )
    expect(readable(await read(plain, createOperation()))).toEqual({
      orders: ['{"id":"b","lineItems":[]}', 'null', '{"id":"a","lineItems":[]}'],
      envelope: ['totalCount=7', 'links={"self":{"uri":"/o","n":1.0}}', 'attributes={"a":1.50}'],
      asOf: startedAt,
      pricesUnavailable: false,
    })
  })

  test('a customer’s orders are merged from their pages, without the link to the next', async () => {
    const next = (page: number) =>
      `"links":{"self":{"uri":"/o","n":1.10,"u":"\\u00e4"},"next":{"uri":"/customers/x?p=${page}","headers":[{"key":"MS-ContinuationToken","value":"t${page}"}]}}`
    const { read, asked, startedAt } = reader(
      `{"items":[{"id":"1"}],${next(2)},"attributes":{"first":true}}`,
      `{"items":[],${next(3)},"attributes":{"first":false}}`,
      '{"items":[{"id":"3"},{"id":"2"}],"links":{}}',
    )
    const result = readable(await read(plain, createOperation()))

    expect(result.orders).toEqual(['1', '3', '2'].map(id => `{"id":"${id}","lineItems":[]}`))
    expect(result.envelope).toEqual(['links={"self":{"uri":"/o","n":1.10,"u":"\\u00e4"}}', 'attributes={"first":true}'])
    expect(result.asOf).toBe(startedAt)
    expect(asked.map(({ path }) => path)).toEqual([toPath(plain), '/v1/customers/x?p=2', '/v1/customers/x?p=3'])
    expect(asked.map(({ headers }) => headers?.['ms-continuationtoken'])).toEqual([undefined, 't2', 't3'])
  })

  test.each([
    '{"items":[],"links":null}',
    '{"items":[],"links":{"next":null}}',
    '{"items":[],"links":[]}',
    '{"items":[]}',
  ])('a customer’s orders end where there is no next page: %s', async body => {
    const { read, asked } = reader(body)
    expect((await read(plain, createOperation())).orders).toEqual([])
    expect(asked).toHaveLength(1)
  })

  test.each([
    '<html></html>',
    '{"hello":"world"}',
    '{"items":[],"links":{"next":{"uri":5}}}',
    '{"items":[],"links":{"next":"/x"}}',
    '{"items":[],"links":{"next":{"uri":"https://evil.example/x"}}}',
    '{"items":[],"links":{"next":{"uri":"/x","headers":[{"key":"a"}]}}}',
  ])('a customer’s orders are not read from %s', async body => {
    await expect(reader(body).read(plain, createOperation())).rejects.toMatchObject({
      code: 'partner_center_invalid_response',
    })
  })

  test('a customer’s orders can be very many on one page', async () => {
    const { read } = reader(`{"items":[${'{},'.repeat(199_999)}{}]}`)
    expect((await read(plain, createOperation())).orders).toHaveLength(200_000)
  })

  test('equal simultaneous reads of orders share one call, and other queries do not', async () => {
    const { read, asked } = reader('{"items":[{"id":"1"}]}', '{"items":[]}')
    const [one, two, other] = await Promise.all([
      read(plain, createOperation()),
      read({ ...plain }, createOperation()),
      read({ ...plain, includeSystemPurchases: true }, createOperation()),
    ])
    expect(asked).toHaveLength(2)
    expect(one).toBe(two)
    expect(other.orders).toEqual([])
  })
})

describe('prices without access', () => {
  test('prices without access are omitted, and the response says so', async () => {
    const { read, asked, startedAt } = reader(refusal('800043'), '{"items":[{"id":"1"}]}')
    const result = readable(await read(priced, createOperation()))

    expect(result).toMatchObject({ orders: ['{"id":"1","lineItems":[]}'], pricesUnavailable: true })
    expect(result.asOf).toBe(startedAt + 1000)
    expect(asked.map(({ path }) => path)).toEqual([toPath(priced), toPath(plain)])
  })

  test('prices without access on a later page restart the list', async () => {
    const { read } = reader(
      '{"items":[{"id":"1"}],"links":{"next":{"uri":"/x"}}}',
      refusal('800043'),
      '{"items":[{"id":"1"}]}',
    )
    expect(readable(await read(priced, createOperation())).orders).toHaveLength(1)
  })

  test.each([
    [plain, refusal('800043')],
    [priced, refusal('20002')],
    [priced, refusal()],
    [priced, refusal('800043', 400)],
    [priced, new Error('800043')],
  ])('another failure is not taken for missing access to prices', async (query, failure) => {
    const { read, asked } = reader(failure, '{"items":[]}')
    await expect(read(query, createOperation())).rejects.toBe(failure)
    expect(asked).toHaveLength(1)
  })

  test('missing access to prices is detected by status and code', () => {
    expect(lacksPriceAccess(refusal('800043'))).toBe(true)
    expect(lacksPriceAccess(refusal('800043', 401))).toBe(false)
    expect(lacksPriceAccess(new AppError('partner_center_forbidden', '800043'))).toBe(false)
  })
})
