import { describe, expect, test } from 'vitest'
import { collectionResponse, live, ordersHeaders } from '../../../../shared/http/responses/orders-response.ts'
import { readOrderCollection } from '../../../../shared/partner-center/collection.ts'

const asOf = Date.UTC(2026, 10, 20, 0, 20)
const provenance = live({ asOf, pricesUnavailable: false })

const answerOf = (text: string, ifNoneMatch: string | null = null) => {
  const { items, envelope } = readOrderCollection(Buffer.from(text))
  const { status, headers, body } = collectionResponse(items, envelope, provenance, ifNoneMatch)
  return { status, headers: headers as Record<string, string>, text: body === undefined ? '' : String(body) }
}

describe('the response with a collection', () => {
  test.each([
    ['{"items":[]}', '{"totalCount":0,"items":[]}'],
    [
      '{"attributes":{"a":1.50},"totalCount":9,"items":[{"id":"a"},{"id":"b"}],"links":{}}',
      '{"totalCount":2,"items":[{"id":"a","lineItems":[]},{"id":"b","lineItems":[]}],"attributes":{"a":1.50},"links":{}}',
    ],
    ['{"items":[],"é\\"\\u0001":1}', '{"totalCount":0,"items":[],"é\\"\\u0001":1}'],
  ])('the response with a collection to %s is %s', (text, expected) => {
    expect(answerOf(text)).toMatchObject({ status: 200, text: expected })
  })

  test('the response with a collection is 304 if the caller has it already, from the same source', () => {
    const { headers } = answerOf('{"items":[]}')
    const again = answerOf('{"items":[]}', headers.etag ?? '')
    expect(again).toMatchObject({ status: 304, text: '', headers: { 'x-orders-source': 'live', etag: headers.etag } })
    expect(answerOf('{"items":[{}]}', headers.etag ?? '').status).toBe(200)
  })
})

describe('the headers of a response with orders', () => {
  test('the headers of a response with orders have its source and completeness', () => {
    expect(ordersHeaders(provenance)).toEqual({
      'x-orders-source': 'live',
      'x-orders-as-of': '2026-11-20T00:20:00.000Z',
      'x-orders-complete-through': '2026-11-20T00:05:00.000Z',
    })
  })

  test('the headers of a response with orders say if prices are unavailable', () => {
    const headers = ordersHeaders({ source: 'snapshot', asOf, pricesUnavailable: true })
    expect(headers).toMatchObject({ 'x-orders-source': 'snapshot', 'x-orders-prices': 'unavailable' })
  })
})
