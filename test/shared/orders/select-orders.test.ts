import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { selectAsUpstream, selectOrders } from '../../../shared/orders/select-orders.ts'
import { parseTimestamp, type Timestamp } from '../../../shared/orders/timestamp.ts'
import type { OrderBytes } from '../../../shared/partner-center/collection.ts'

const order = (id: string, creationDate?: string, status?: string, json = `{"id":"${id}"}`): OrderBytes => ({
  json: Buffer.from(json),
  id,
  creationDate,
  status,
  billingCycle: undefined,
  transactionType: undefined,
  lines: 0,
})

const ids = (orders: OrderBytes[]) => orders.map(({ id }) => id)
const at = (text: string): Timestamp => {
  const timestamp = parseTimestamp(text)
  if (timestamp === undefined) throw new Error(`${text} is no timestamp`)
  return timestamp
}

const dates = [
  undefined,
  'never',
  '2026-11-20T00:00:00Z',
  '2026-11-20T00:00:00.0000001Z',
  '2026-11-20T00:00:00.00000010Z',
  '2026-11-19T16:00:00-08:00',
  '2026-11-20T00:00:00.1',
  '2026-11-21',
]
const statuses = [undefined, 'pending', 'Completed', 'UNKNOWN']

const anyOrder = fc
  .record({
    id: fc.constantFrom('', 'a', 'b', 'B', 'é', '10', '9'),
    creationDate: fc.constantFrom(...dates),
    status: fc.constantFrom(...statuses),
    json: fc.constantFrom('{}', '{"a":1}', '{"b":1}'),
  })
  .map(({ id, creationDate, status, json }) => order(id, creationDate, status, json))

describe('the selected orders', () => {
  test('the selected orders have the same bytes for any order of reading', () => {
    const shuffled = fc
      .array(anyOrder, { maxLength: 12 })
      .chain(orders => fc.tuple(fc.constant(orders), fc.shuffledSubarray(orders, { minLength: orders.length })))
    const bytes = (orders: OrderBytes[]) =>
      orders.map(({ json, id, creationDate }) => [parseTimestamp(creationDate), id, json.toString()])
    fc.assert(
      fc.property(shuffled, ([orders, others]) => {
        expect(bytes(selectOrders(others))).toEqual(bytes(selectOrders(orders)))
      }),
      { numRuns: 3000 },
    )
  })

  test('the selected orders are the given ones, unchanged', () => {
    fc.assert(
      fc.property(fc.array(anyOrder, { maxLength: 12 }), orders => {
        const before = [...orders]
        const selected = selectOrders(orders)
        expect(new Set(selected)).toEqual(new Set(before))
        expect(selected).toHaveLength(before.length)
        expect(orders).toEqual(before)
      }),
    )
  })

  test('the selected orders are sorted by time, then by id as code units, undated ones last', () => {
    const sorted = [
      order('a', '2026-11-19T16:00:00-08:00'),
      order('b', '2026-11-20'),
      order('c', '2026-11-20T00:00:00.000Z'),
      order('a', '2026-11-20T00:00:00.0000001Z'),
      order('a', '2026-11-20T00:00:00.0000002Z'),
      order('a', '2026-11-20T00:00:01'),
      order('', 'never'),
      order('10'),
      order('9'),
      order('B', ''),
      order('a'),
      order('é'),
    ]
    expect(selectOrders(sorted.toReversed())).toEqual(sorted)
  })

  test('the selected orders with equal id and date are sorted by their bytes', () => {
    const sorted = ['{"a":1}', '{"a":2}', '{"b":1}'].map(json => order('a', '2026-11-20', 'pending', json))
    expect(selectOrders(sorted.toReversed())).toEqual(sorted)
  })
})

describe('a filter by status', () => {
  const orders = statuses.map((status, index) => order(String(index), '2026-11-20', status))

  test.each([
    ['pending', ['1']],
    ['completed', ['2']],
    ['unknown', ['0', '3']],
    ['cancelled', []],
  ])('a filter by status %s passes orders with this status, in any case', (status, expected) => {
    expect(ids(selectOrders(orders, { status }))).toEqual(expected)
  })
})

describe('a filter by creation', () => {
  const orders = [
    order('before', '2026-11-19T23:59:59.9999999Z'),
    order('at', '2026-11-20T01:00:00+01:00'),
    order('just after', '2026-11-20T00:00:00.0000001Z'),
    order('end', '2026-11-21'),
    order('undated'),
    order('misdated', 'never'),
  ]

  test.each([
    ['2026-11-20T00:00:00Z', undefined, ['at', 'just after', 'end']],
    [undefined, '2026-11-20T00:00:00Z', ['before']],
    [undefined, '2026-11-20T00:00:00.0000001Z', ['before', 'at']],
    ['2026-11-20T00:00:00.0000001Z', '2026-11-21T00:00:00Z', ['just after']],
    ['2026-11-20T00:00:00Z', '2026-11-21T00:00:00.1Z', ['at', 'just after', 'end']],
    ['2026-11-21T00:00:01Z', undefined, []],
    [undefined, undefined, ['before', 'at', 'just after', 'end', 'misdated', 'undated']],
  ])(
    'a filter by creation from %s to %s includes its start, and excludes its end and undated orders',
    (from, to, expected) => {
      const filter = { createdFrom: from && at(from), createdTo: to && at(to) }
      expect(ids(selectOrders(orders, filter as { createdFrom?: Timestamp; createdTo?: Timestamp }))).toEqual(expected)
    },
  )

  test('a filter by creation and status requires both', () => {
    const both = { status: 'pending', createdFrom: at('2026-11-20') }
    const given = [order('a', '2026-11-20', 'pending'), order('b', '2026-11-19', 'pending'), order('c', '2026-11-20')]
    expect(ids(selectOrders(given, both))).toEqual(['a'])
  })
})

describe('the selection of Partner Center', () => {
  const orders = [
    { ...order('a'), billingCycle: 'monthly', transactionType: 'UserPurchase' },
    { ...order('b'), billingCycle: 'one_time', transactionType: 'SystemPurchase' },
    { ...order('c'), billingCycle: 'OneTime', transactionType: 'systemPurchase' },
    { ...order('d'), billingCycle: 'none' },
    { ...order('e'), transactionType: 'SystemBilling' },
  ]

  test.each([
    [undefined, true, 'abcde'],
    [undefined, false, 'ade'],
    ['one_time', true, 'bc'],
    ['one_time', false, ''],
    ['monthly', false, 'a'],
    ['none', true, 'd'],
    ['annual', true, ''],
  ])(
    'a selection by billing type %s and system purchases %s gives %s',
    (billingType, includeSystemPurchases, expected) => {
      expect(ids(selectAsUpstream(orders, { billingType, includeSystemPurchases })).join('')).toBe(expected)
    },
  )
})
