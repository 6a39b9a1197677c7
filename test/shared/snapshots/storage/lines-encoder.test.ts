import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sampleOrder } from '../../../../local/simulator/sample-data.ts'
import { type OrderLine, orderLineColumns, toOrderLines } from '../../../../shared/orders/order-lines.ts'
import { lineColumns, toDecimal } from '../../../../shared/snapshots/storage/line-columns.ts'
import { createLinesEncoder } from '../../../../shared/snapshots/storage/lines-encoder.ts'
import { parquetFooter, queryParquet, readParquet } from '../../../support/parquet.ts'

const customerTenantId = '00000000-0000-4000-8000-000000000001'
const reading = { retrievedAt: '2026-11-20T00:21:07.123Z', snapshotId: '20261120T002000Z' }

/** Unusual values of every member, in one order. */
const odd = {
  id: 'odd-order',
  alternateId: 'ümläut 😀',
  status: 'completed',
  billingCycle: 'annual',
  currencyCode: 'EUR',
  currencySymbol: '€',
  transactionType: 'UserPurchase',
  totalPrice: 0.5,
  creationDate: '2024-02-29T23:59:59.9999999-08:00',
  lineItems: [
    {
      lineItemNumber: 0,
      offerId: 'P:S:A',
      friendlyName: '=1+1, "quoted"\nline',
      quantity: 2147483647,
      subscriptionId: 'ABCDEF00-0000-4000-8000-000000000001',
      parentSubscriptionId: 'ABCDEF00-0000-4000-8000-000000000002',
      termDuration: 'P1Y6M',
      renewsTo: { termDuration: 'P1M' },
      promotionId: 'promo',
      customTermEndDate: '2027-11-20T00:00:00Z',
      partnerIdOnRecord: '4847383',
      transactionType: 'new',
      pricing: {
        listPrice: 1.005,
        discountedPrice: 1e-7,
        proratedPrice: 123456789012.34,
        price: -19.99,
        extendedPrice: 1e30,
      },
    },
    { lineItemNumber: 1, offerId: 'x', quantity: 0, customTermEndDate: 'no date' },
    { lineItemNumber: 2, offerId: 'x', quantity: 2.5, customTermEndDate: '2026-02-30T00:00:00.000Z' },
    { quantity: 3e9 },
  ],
}

const linesOf = (order: unknown, name = 'Zürich Bakery AG'): OrderLine[] =>
  toOrderLines({ json: Buffer.from(JSON.stringify(order)) }, customerTenantId, name)

async function encode(lines: readonly OrderLine[]): Promise<Buffer> {
  const encoder = await createLinesEncoder()
  const pieces = lines.map(line => encoder.add({ ...line, ...reading }))
  return Buffer.concat([...pieces, encoder.finish()])
}

/** Decimals and timestamps in their expected form, independent of the encoder. */
function expected(line: OrderLine) {
  const decimal = (value: number | undefined) => (value === undefined ? null : value.toFixed(6))
  const timestamp = (text: string | undefined) => {
    const at = Date.parse(text ?? '')
    return Number.isNaN(at) ? null : new Date(at).toISOString()
  }
  const row: Record<string, unknown> = {}
  for (const name of orderLineColumns) row[name] = line[name] ?? null
  for (const name of [
    'totalPrice',
    'listPrice',
    'discountedPrice',
    'proratedPrice',
    'unitPrice',
    'extendedPrice',
  ] as const) {
    row[name] = decimal(line[name])
  }
  return {
    ...row,
    orderedAt: timestamp(line.orderedAt),
    customTermEndDate: timestamp(line.customTermEndDate),
    retrievedAt: reading.retrievedAt,
    snapshotId: reading.snapshotId,
  }
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parquet-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** DuckDB's texts of timestamps as ISO 8601. */
const asIso = (row: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      const isInstant = lineColumns.some(column => column.name === name && column.kind === 'timestamp')
      return [
        name,
        isInstant && typeof value === 'string' ? new Date(value.replace(/\+00$/, 'Z')).toISOString() : value,
      ]
    }),
  )

test('DuckDB reads every column of every row with the values of the order', async () => {
  const lines = Array.from({ length: 300 }, (_, number) => sampleOrder(customerTenantId, number)).flatMap(order =>
    linesOf(order),
  )
  const { rows } = await queryParquet(await encode(lines), join(folder, 'all.parquet'))
  expect(rows.map(asIso)).toEqual(lines.map(expected))
  for (const { name } of lineColumns) {
    if (!['parentSubscriptionId', 'promotionId', 'customTermEndDate'].includes(name)) {
      expect(
        rows.some(row => row[name] !== null),
        name,
      ).toBe(true)
    }
  }
})

test('hyparquet reads the same values, and null for values that do not fit', async () => {
  const rows = await readParquet(await encode(linesOf(odd)))
  expect(rows[0]).toEqual({
    orderId: 'odd-order',
    alternateId: 'ümläut 😀',
    customerTenantId,
    customerName: 'Zürich Bakery AG',
    orderStatus: 'completed',
    billingCycle: 'annual',
    currencyCode: 'EUR',
    currencySymbol: '€',
    orderTransactionType: 'UserPurchase',
    totalPrice: 0.5,
    orderedAt: new Date('2024-03-01T07:59:59.999Z'),
    creationDate: '2024-02-29T23:59:59.9999999-08:00',
    lineNumber: 0,
    offerId: 'P:S:A',
    isNewCommerce: true,
    productId: 'P',
    skuId: 'S',
    availabilityId: 'A',
    friendlyName: '=1+1, "quoted"\nline',
    quantity: 2147483647,
    isCancelled: false,
    subscriptionId: 'abcdef00-0000-4000-8000-000000000001',
    parentSubscriptionId: 'abcdef00-0000-4000-8000-000000000002',
    termDuration: 'P1Y6M',
    termMonths: 18,
    renewalTermDuration: 'P1M',
    promotionId: 'promo',
    customTermEndDate: new Date('2027-11-20T00:00:00Z'),
    partnerIdOnRecord: '4847383',
    lineTransactionType: 'new',
    listPrice: 1.005,
    discountedPrice: 0,
    proratedPrice: 123456789012.34,
    unitPrice: -19.99,
    extendedPrice: null,
    retrievedAt: new Date(reading.retrievedAt),
    snapshotId: reading.snapshotId,
  })
  expect(
    rows.map(({ quantity, isCancelled, customTermEndDate }) => [quantity, isCancelled, customTermEndDate]),
  ).toEqual([
    [2147483647, false, new Date('2027-11-20T00:00:00Z')],
    [0, true, null],
    [null, false, null],
    [null, false, null],
  ])
})

test('a row has no name or date if the customer or the order has none', async () => {
  const [row] = await readParquet(await encode(linesOf({ id: 'a', lineItems: [{ quantity: 1 }] }, '')))
  expect(row).toMatchObject({ customerName: null, orderedAt: null, creationDate: null, offerId: '', lineNumber: 0 })
})

test('the columns and their types are the same in every file, even in an empty one', async () => {
  const [empty, full] = await Promise.all([
    queryParquet(await encode([]), join(folder, 'empty.parquet')),
    queryParquet(await encode(linesOf(odd)), join(folder, 'full.parquet')),
  ])
  expect(empty.rows).toEqual([])
  expect(empty.types).toEqual(full.types)
  expect(empty.types.map(([name]) => name)).toEqual([...orderLineColumns, 'retrievedAt', 'snapshotId'])
  expect(Object.fromEntries(empty.types)).toMatchObject({
    orderId: 'VARCHAR',
    orderedAt: 'TIMESTAMP WITH TIME ZONE',
    customTermEndDate: 'TIMESTAMP WITH TIME ZONE',
    retrievedAt: 'TIMESTAMP WITH TIME ZONE',
    quantity: 'INTEGER',
    lineNumber: 'INTEGER',
    termMonths: 'INTEGER',
    totalPrice: 'DECIMAL(18,6)',
    unitPrice: 'DECIMAL(18,6)',
    isCancelled: 'BOOLEAN',
    isNewCommerce: 'BOOLEAN',
  })
})

test('rows are written in groups of a few hundred, each with its minimum and maximum', async () => {
  const encoder = await createLinesEncoder()
  const [line] = linesOf(odd)
  if (line === undefined) throw new Error('There is no line')
  const pieces: Buffer[] = []
  for (let number = 0; number < 2_500; number++) {
    pieces.push(encoder.add({ ...line, lineNumber: number, orderId: `order ${number}`, ...reading }))
  }
  expect(pieces.filter(piece => piece.length > 0)).toHaveLength(4)
  const file = Buffer.concat([...pieces, encoder.finish()])
  const { row_groups } = parquetFooter(file)
  expect(row_groups.map(({ num_rows }) => Number(num_rows))).toEqual([512, 512, 512, 512, 452])
  for (const { columns } of row_groups) {
    const statistics = Object.fromEntries(
      columns.map(({ meta_data }) => [meta_data?.path_in_schema[0], meta_data?.statistics]),
    )
    expect(statistics.customerTenantId).toMatchObject({ min_value: customerTenantId, max_value: customerTenantId })
    expect(statistics.orderedAt).toMatchObject({ null_count: 0n, min_value: new Date('2024-03-01T07:59:59.999Z') })
    expect(Number(statistics.lineNumber?.max_value) - Number(statistics.lineNumber?.min_value)).toBeLessThan(512)
  }
  const rows = await readParquet(file)
  expect(rows.map(({ orderId }) => orderId)).toEqual(Array.from({ length: 2_500 }, (_, number) => `order ${number}`))
})

test.each([
  [0, 0n],
  [0.1 + 0.2, 300_000n],
  [1.005, 1_005_000n],
  [-19.99, -19_990_000n],
  [0.0000005, 1n],
  [0.0000004, 0n],
  [-0.0000005, -1n],
  [1.9999995, 2_000_000n],
  [123456789012.34, 123_456_789_012_340_000n],
  [999999999999.99, 999_999_999_999_990_000n],
  [1e12, null],
  [-1e12, null],
  [1e21, null],
  [Number.NaN, null],
])('%d is %s millionths', (value, decimal) => {
  expect(toDecimal(value)).toBe(decimal)
})
