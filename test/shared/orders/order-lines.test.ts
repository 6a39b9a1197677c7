import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type OrderLine, orderLineColumns, toMonths, toOrderLines } from '../../../shared/orders/order-lines.ts'
import { readOrder } from '../../../shared/partner-center/collection.ts'

const customer = 'b0d70a69-4c42-4b27-b17b-91a835d8686a'
const flatten = (order: unknown): OrderLine[] => toOrderLines(readOrder(Buffer.from(JSON.stringify(order))), customer)

/** Any JSON, for members that the service could send in another form. */
const odd = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom('', '12', 'P1Y', 'a:b:c', 'X:Y', '2018-03-06T17:37:05.253-08:00', 0, -0, 1e21, null),
)
const line = fc.dictionary(
  fc.constantFrom(
    'lineItemNumber',
    'offerId',
    'quantity',
    'subscriptionId',
    'parentSubscriptionId',
    'termDuration',
    'renewsTo',
    'pricing',
    'friendlyName',
    'partnerIdOnRecord',
    'promotionId',
    'customTermEndDate',
    'transactionType',
  ),
  odd,
)
const order = fc.record(
  {
    id: odd,
    creationDate: odd,
    status: odd,
    totalPrice: odd,
    currencyCode: odd,
    lineItems: fc.oneof(odd, fc.array(fc.oneof(line, odd))),
  },
  { requiredKeys: [] },
)

const types: Record<keyof OrderLine, string> = Object.fromEntries(
  orderLineColumns.map(name => {
    if (name === 'isNewCommerce' || name === 'isCancelled') return [name, 'boolean']
    return [name, /Price$|^quantity$|^lineNumber$|^termMonths$/.test(name) ? 'number' : 'string']
  }),
) as Record<keyof OrderLine, string>

describe('flattening', () => {
  test('flattening gives one row per line object with fixed types, whatever the service sends', () => {
    fc.assert(
      fc.property(order, value => {
        const rows = flatten(value)
        const bytes = readOrder(Buffer.from(JSON.stringify(value)))
        expect(rows).toHaveLength(bytes.lines)
        for (const row of rows) {
          for (const [name, member] of Object.entries(row)) {
            expect(typeof member, name).toBe(types[name as keyof OrderLine])
            if (typeof member === 'number') expect(Number.isFinite(member)).toBe(true)
          }
          for (const name of [
            'orderId',
            'customerTenantId',
            'lineNumber',
            'offerId',
            'isNewCommerce',
            'quantity',
            'isCancelled',
          ]) {
            expect(row).toHaveProperty(name)
          }
        }
        const numbers = rows.map(({ lineNumber }) => lineNumber)
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
      }),
      { numRuns: 10_000 },
    )
  })

  test('flattening omits empty texts, lower-cases subscription ids and splits new-commerce offers', () => {
    const [row] = flatten({
      id: 'o',
      creationDate: '2018-03-06T17:37:05.2539-08:00',
      lineItems: [
        {
          lineItemNumber: 3,
          offerId: 'CFQ7:0001:CFQ8',
          subscriptionId: 'DB8C695B-1C3C-4C55-B697-771503DD46BF',
          termDuration: '',
          quantity: 0,
          renewsTo: [{ termDuration: 'P1M' }],
          pricing: { price: 12, extendedPrice: '24.50' },
        },
      ],
    })
    expect(row).toEqual({
      orderId: 'o',
      customerTenantId: customer,
      orderedAt: '2018-03-07T01:37:05.253Z',
      creationDate: '2018-03-06T17:37:05.2539-08:00',
      lineNumber: 3,
      offerId: 'CFQ7:0001:CFQ8',
      isNewCommerce: true,
      productId: 'CFQ7',
      skuId: '0001',
      availabilityId: 'CFQ8',
      quantity: 0,
      isCancelled: true,
      subscriptionId: 'db8c695b-1c3c-4c55-b697-771503dd46bf',
      renewalTermDuration: 'P1M',
      unitPrice: 12,
      extendedPrice: 24.5,
    })
  })

  test.each([
    ['P1M', 1],
    ['P1Y', 12],
    ['P3Y', 36],
    ['P1Y6M', 18],
    ['P30D', undefined],
    ['PT1M', undefined],
    ['P', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('flattening: %s is %s months', (duration, months) => {
    expect(toMonths(duration)).toBe(months)
  })
})
