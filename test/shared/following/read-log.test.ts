import { expect, test } from 'vitest'
import { createReadLog } from '../../../shared/following/read-log.ts'
import type { PartnerRequest } from '../../../shared/partner-center/request.ts'
import { createOperation } from '../../support/operations.ts'

const first = 'aaaaaaaa-0000-4000-8000-000000000001'
const second = 'aaaaaaaa-0000-4000-8000-000000000002'
const since = Date.parse('2026-11-20T10:00:00Z')

const record = (more: Record<string, unknown> = {}) => ({
  partnerId: 'p',
  customerId: first,
  customerName: 'First',
  resourceType: 'order',
  operationType: 'create_order',
  operationStatus: 'succeeded',
  operationDate: '2026-11-20T10:05:00.1234567Z',
  resourceNewValue: JSON.stringify({ Id: 'o-1', ReferenceCustomerId: first }),
  customizedData: [
    { key: 'OrderId', value: 'o-1' },
    { key: 'PartnerOnRecord-0', value: null },
  ],
  ...more,
})

/** Returns each page in turn. A value that is no array of records is the response itself. */
function logOf(...pages: unknown[]) {
  const asked: PartnerRequest[] = []
  const readLog = createReadLog(async request => {
    const page = pages[asked.length]
    asked.push(request)
    const next = { uri: '/auditrecords?seekOperation=Next', headers: [{ key: 'MS-ContinuationToken', value: 'next' }] }
    const links = asked.length < pages.length ? { next } : {}
    const body = Array.isArray(page) ? JSON.stringify({ totalCount: page.length, items: page, links }) : String(page)
    return { status: 200, headers: {}, body: Buffer.from(body) }
  }, 'https://api.example')
  return { readLog, asked }
}

const at = (text: string) => Date.parse(text)

test('all pages since the day of the timestamp are read, with the headers of their links', async () => {
  const { readLog, asked } = logOf([record()], [record({ customerId: second, customerName: null })])
  const { news, isCut } = await readLog(since, createOperation())
  expect([...news.keys()]).toEqual([first, second])
  expect(asked.map(({ path }) => path)).toEqual([
    '/v1/auditrecords?startDate=2026-11-20&size=500',
    '/v1/auditrecords?seekOperation=Next',
  ])
  expect(asked[1]?.headers).toEqual({ 'ms-continuationtoken': 'next' })
  expect(isCut).toBe(false)
})

test('records that are repeated, late, out of order or in another zone count once, by their time', async () => {
  const { readLog } = logOf(
    [record(), record({ operationDate: '2026-11-20T12:01:00+02:00' }), record()],
    [record({ operationDate: '2026-11-20T10:03:00' }), record({ customerId: first.toUpperCase() })],
  )
  const { news } = await readLog(since, createOperation())
  expect(news.get(first)).toEqual({
    customerName: 'First',
    at: [at('2026-11-20T10:01:00Z'), at('2026-11-20T10:03:00Z'), at('2026-11-20T10:05:00.123Z')],
  })
})

test('only orders that were created or changed since then are reported', async () => {
  const { readLog } = logOf([
    record({ operationStatus: 'failed' }),
    record({ operationType: 'update_customer_qualification' }),
    record({ operationType: 'something_new' }),
    record({ operationDate: '2026-11-20T09:59:59.9999999Z' }),
    record({ operationDate: 'yesterday' }),
    record({ customerId: null, resourceNewValue: null }),
    null,
    'record',
    // Members that the app does not use can be absent.
    {
      customerId: second,
      operationType: 'Update_Order',
      operationStatus: 'Succeeded',
      operationDate: '2026-11-20T10:05:00Z',
    },
  ])
  const { news } = await readLog(since, createOperation())
  expect([...news.keys()]).toEqual([second])
})

test.each([
  ['a text of JSON', JSON.stringify({ Id: 'o', ReferenceCustomerId: second, LineItems: [] })],
  ['an object', { id: 'o', referenceCustomerId: second }],
])('a record without a customer takes it from its order, %s', async (_, resourceNewValue) => {
  const { readLog } = logOf([record({ customerId: undefined, resourceNewValue })])
  expect([...(await readLog(since, createOperation())).news.keys()]).toEqual([second])
})

test.each(['{"items":[', '<html>', '{"totalCount":0}', '[]'])(
  'a response that is no page is refused: %s',
  async page => {
    await expect(logOf(page).readLog(since, createOperation())).rejects.toMatchObject({
      code: 'partner_center_invalid_response',
    })
  },
)

test('10,000 records at once are read', async () => {
  const many = Array.from({ length: 500 }, (_, number) =>
    record({ operationDate: new Date(since + number).toISOString(), resourceNewValue: 'x'.repeat(2000) }),
  )
  const { readLog } = logOf(...Array.from({ length: 20 }, () => many))
  const { news } = await readLog(since, createOperation())
  expect(news.get(first)?.at).toHaveLength(500)
})
