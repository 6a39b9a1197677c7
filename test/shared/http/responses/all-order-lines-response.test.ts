import { parse } from 'csv-parse/sync'
import { expect, test } from 'vitest'
import { ask, ids, pages, worldOf } from '../../../support/all-order-lines.ts'
import { createOperation } from '../../../support/operations.ts'
import { createWorld, customerId, folder, makeCustomers, run } from '../../../support/snapshot-world.ts'

test('CSV has all rows with a header, and a Link header if there are more', async () => {
  const world = await worldOf(30, 4, { SNAPSHOT_CUSTOMERS_PER_PART: '7' })
  const [first] = world.customers
  if (first !== undefined) first.name = '=cmd|A1'
  await run(world)
  const csv = await ask(world, '/api/order-lines?format=csv')
  expect(csv.headers).toMatchObject({
    'content-disposition': expect.stringMatching(/^attachment; filename="order-lines-\d{4}-\d{2}-\d{2}\.csv"$/),
  })
  expect(csv.next).toBeUndefined()
  const rows = parse<Record<string, string>>(csv.text, { bom: true, columns: true, record_delimiter: '\r\n' })
  expect(rows).toHaveLength(120)
  expect(rows[0]).toMatchObject({ customerName: "'=cmd|A1", customerTenantId: customerId(1), orderId: 'order-1-0' })

  const parts = await pages(world, '/api/order-lines?format=csv&top=50')
  expect(parts.map(({ text }) => text.trim().split('\r\n').length - 1)).toEqual([50, 50, 20])
  const ordersOf = (text: string) =>
    parse<Record<string, string>>(text, { bom: true, columns: true }).map(({ orderId }) => orderId)
  expect(parts.flatMap(({ text }) => ordersOf(text))).toEqual(rows.map(({ orderId }) => orderId))
})

test('list-all-order-lines has the filters of list-order-lines', async () => {
  const world = await createWorld()
  world.customers.push(...makeCustomers(3, 0))
  const orders = [
    { id: 'a', creationDate: '2026-01-01T00:00:00Z', status: 'completed', billingCycle: 'monthly', lineItems: [{}] },
    { id: 'b', creationDate: '2026-02-01T00:00:00Z', status: 'pending', billingCycle: 'annual', lineItems: [{}] },
    {
      id: 'c',
      creationDate: '2026-03-01T00:00:00Z',
      billingCycle: 'one_time',
      transactionType: 'SystemPurchase',
      lineItems: [{}],
    },
  ]
  for (const [at, order] of orders.entries()) Object.assign(world.customers[at] ?? {}, { orders: [order] })
  await run(world)
  const selected = async (query: string) =>
    (await ask(world, `/api/order-lines?${query}`)).value.map(({ orderId }) => orderId).join('')
  expect(await selected('')).toBe('abc')
  expect(await selected('status=Pending')).toBe('b')
  expect(await selected('status=unknown')).toBe('c')
  expect(await selected('billingType=one_time')).toBe('c')
  expect(await selected('includeSystemPurchases=false')).toBe('ab')
  expect(await selected('createdFrom=2026-02-01&createdTo=2026-03-01')).toBe('b')
})

test.each([
  'includePrice=true',
  'allowStale=true',
  'top=1001',
  'top=0',
  'top=1001&format=csv',
  'format=xml',
  'asOf=soon',
])('%s is rejected', async query => {
  const world = await createWorld()
  await expect(ask(world, `/api/order-lines?${query}`)).rejects.toMatchObject({
    code: 'invalid_request',
    options: { target: query.split('=')[0] },
  })
})

test('asOf reads the newest run over all customers at or before, and skips failed runs', async () => {
  const world = await worldOf(3, 1)
  const first = await run(world)
  await world.clock.advance(86_400_000)
  const [customer] = world.customers
  if (Array.isArray(customer?.orders)) customer.orders.push({ id: 'late', lineItems: [{ quantity: 1 }] })
  const second = await run(world)
  await world.clock.advance(3_600_000)
  const operation = createOperation({ clock: world.clock })
  await world.snapshots.start('request', [[customerId(1), 'Customer 1']], operation)
  await world.drain()
  await world.clock.advance(3_600_000)
  world.list = { status: 401 }
  await run(world)
  world.list = undefined

  const asOf = async (query: string) => (await ask(world, `/api/order-lines${query}`)).headers['x-orders-as-of']
  expect(await asOf('')).toBe(second.startedAt)
  expect(await asOf(`?asOf=${new Date(world.clock.now()).toISOString()}`)).toBe(second.startedAt)
  expect(await asOf(`?asOf=${first.startedAt}`)).toBe(first.startedAt)
  expect(await asOf(`?asOf=${first.startedAt.slice(0, 10)}`)).toBe(first.startedAt)
  await expect(asOf('?asOf=2020-01-01')).rejects.toMatchObject({ code: 'snapshot_not_found' })
  world.store.blobs.delete('latest.json')
  expect(await asOf('')).toBe(second.startedAt)
})

test('without a snapshot of all customers the response is 404', async () => {
  const world = await worldOf(2)
  await expect(ask(world, '/api/order-lines')).rejects.toMatchObject({ code: 'snapshot_not_found' })
})

test('a customer that failed is left out', async () => {
  const world = await worldOf(3, 1)
  Object.assign(world.customers[1] ?? {}, { orders: { status: 403, code: '20002' } })
  await run(world)
  expect(ids((await ask(world, '/api/order-lines')).value)).toEqual(['order-1-0/0', 'order-3-0/0'])
})

test('a cursor belongs to its snapshot, filters and function, and expires with the snapshot', async () => {
  const world = await worldOf(4, 2)
  const { snapshotId } = await run(world)
  const { next = '', value } = await ask(world, '/api/order-lines?top=3')
  await world.clock.advance(86_400_000)
  for (const customer of world.customers) customer.orders = []
  await run(world)
  const rest = await ask(world, next)
  expect([...ids(value), ...ids(rest.value)]).toHaveLength(6)
  await expect(ask(world, `${next}&status=pending`)).rejects.toMatchObject({
    code: 'invalid_request',
    options: { target: 'cursor' },
  })
  await expect(ask(world, next.replace(/cursor=...../, 'cursor=AAAAA'))).rejects.toMatchObject({
    code: 'invalid_request',
  })
  for (const name of world.store.blobs.keys()) if (name.includes(snapshotId)) world.store.blobs.delete(name)
  await expect(ask(world, next)).rejects.toMatchObject({ code: 'cursor_expired', status: 410 })
})

test('equal pages have equal ETags, and If-None-Match gives 304', async () => {
  const world = await worldOf(4, 2)
  await run(world)
  const { headers } = await ask(world, '/api/order-lines?top=3')
  expect(headers.etag).toMatch(/^"/)
  expect(await ask(world, '/api/order-lines?top=3', { 'if-none-match': headers.etag ?? '' })).toMatchObject({
    status: 304,
    text: '',
  })
})

test('a run of the previous version, without lines, gives the same rows', async () => {
  const world = await worldOf(4, 2)
  const { snapshotId } = await run(world)
  const before = await ask(world, '/api/order-lines')
  for (const [name, { metadata }] of world.store.blobs) {
    if (name.startsWith('lines/')) world.store.blobs.delete(name)
    if (name.includes(snapshotId)) delete metadata.linesblocks
  }
  expect((await ask(world, '/api/order-lines')).text).toBe(before.text)
})

test.each([
  ['cut off', (body: Buffer) => body.subarray(0, -20)],
  ['garbled', (body: Buffer) => Buffer.from(body).fill(0x20, 30, 60)],
  ['of another run', () => Buffer.from('1f8b0800000000000003030000000000000000', 'hex')],
])('a part that is %s is named', async (_, spoil) => {
  const world = await worldOf(4, 2)
  const { snapshotId } = await run(world)
  const blob = `${folder(snapshotId)}/part-00000.ndjson.gz`
  const stored = world.store.blobs.get(blob)
  if (stored !== undefined) stored.body = spoil(stored.body)
  await expect(ask(world, '/api/order-lines')).rejects.toMatchObject({
    code: 'snapshot_corrupt',
    message: expect.stringContaining(blob),
  })
  world.store.blobs.delete(blob)
  await expect(ask(world, '/api/order-lines')).rejects.toMatchObject({ code: 'snapshot_corrupt' })
})
