import { randomBytes } from 'node:crypto'
import { HttpRequest } from '@azure/functions'
import { expect, test } from 'vitest'
import { readInput } from '../../../../shared/http/parameters/input.ts'
import { allOrderLines } from '../../../../shared/http/parameters/parameters.ts'
import { respondWithAllOrderLines } from '../../../../shared/http/responses/all-order-lines-response.ts'
import { ask, ids, pages, worldOf } from '../../../support/all-order-lines.ts'
import { createOperation } from '../../../support/operations.ts'
import { createWorld, customerId, folder, makeCustomers, run } from '../../../support/snapshot-world.ts'

test('all pages together are the lines of every customer, each with the name, in one order', async () => {
  const world = await worldOf(7, 3, { SNAPSHOT_CUSTOMERS_PER_PART: '2' })
  const first = world.customers[0]?.orders
  if (Array.isArray(first)) {
    first[1] = {
      ...first[1],
      id: 'three',
      lineItems: [2, 0, 1].map(lineItemNumber => ({ lineItemNumber, quantity: 1 })),
    }
  }
  const { startedAt = '' } = await run(world)
  const whole = await ask(world, '/api/order-lines')
  expect(whole.value).toHaveLength(7 * 3 + 2)
  expect(whole.value[0]).toEqual({
    orderId: 'order-1-0',
    customerTenantId: customerId(1),
    customerName: 'Customer 1',
    orderStatus: 'completed',
    orderedAt: '2026-01-01T00:00:00.000Z',
    creationDate: '2026-01-01T00:00:00Z',
    lineNumber: 0,
    offerId: '',
    isNewCommerce: false,
    quantity: 0,
    isCancelled: true,
  })
  expect(whole.headers).toMatchObject({ 'x-orders-source': 'snapshot', 'x-orders-as-of': startedAt })
  expect(whole.next).toBeUndefined()
  for (const top of [1, 2, 5, 23, 24]) {
    const all = await pages(world, `/api/order-lines?top=${top}`)
    expect(
      all.flatMap(({ value }) => value),
      `top ${top}`,
    ).toEqual(whole.value)
    expect(all.slice(0, -1).every(({ value }) => value.length === top)).toBe(true)
    expect(all.at(-1)?.value.length).toBeGreaterThan(0)
  }
})

test.each([
  [1200, 2],
  [3000, 2],
  [60, 20],
])('a page of 1,000 rows of %d customers × %d orders takes at most 12 calls', async (count, ordersEach) => {
  const world = await worldOf(count, ordersEach, { PARTNER_CENTER_REQUESTS_PER_MINUTE: '100000' })
  await run(world)
  const first = await ask(world, '/api/order-lines?top=1000')
  expect(first.value).toHaveLength(1000)
  expect(first.calls).toBeLessThanOrEqual(12)
  const second = await ask(world, first.next ?? '')
  expect(second.value.length).toBeGreaterThan(0)
  expect(second.calls).toBeLessThanOrEqual(12)
  const day = new Date(world.clock.now()).toISOString().slice(0, 10)
  expect((await ask(world, `/api/order-lines?top=1000&asOf=${day}`)).calls).toBeLessThanOrEqual(12)
})

test('customers without orders cost no calls, and a filter that hardly anything passes ends a page early', async () => {
  const world = await worldOf(60, 1, { SNAPSHOT_CUSTOMERS_PER_PART: '2' })
  for (const customer of world.customers.slice(4, 58)) customer.orders = []
  await run(world)
  const sparse = await ask(world, '/api/order-lines?top=1000')
  expect(sparse.value).toHaveLength(6)
  expect(sparse).toMatchObject({ next: undefined, calls: 5 })

  for (const customer of world.customers) {
    customer.orders = [
      {
        id: customer.id,
        status: customer.id === customerId(60) ? 'pending' : 'completed',
        lineItems: [{ quantity: 1 }],
      },
    ]
  }
  await run(world)
  const filtered = await pages(world, '/api/order-lines?top=1000&status=pending')
  expect(ids(filtered.flatMap(({ value }) => value))).toEqual([`${customerId(60)}/0`])
  expect(filtered.length).toBeLessThanOrEqual(4)
  for (const { calls } of filtered) expect(calls).toBeLessThanOrEqual(12)
})

test('a page ends early when time runs out', async () => {
  const world = await worldOf(20, 1, { SNAPSHOT_CUSTOMERS_PER_PART: '1' })
  await run(world)
  const { readRun } = await world.newWorker()
  const slow = {
    ...readRun,
    read: async (...place: Parameters<typeof readRun.read>) => {
      await world.clock.advance(2000)
      return readRun.read(...place)
    },
  }
  const request = new HttpRequest({ method: 'GET', url: 'http://localhost/api/order-lines?format=csv' })
  const { clock } = world
  const context = { readRun: slow, request, clock, operation: createOperation({ clock, seconds: 10 }) }
  const answered = await respondWithAllOrderLines(await readInput(request, allOrderLines), context)
  expect((answered.headers as Record<string, string>).link).toContain('cursor=')
})

test('a part that is too large to be read whole is read by its index, and the pages are the same', async () => {
  const world = await createWorld({ SNAPSHOT_CUSTOMERS_PER_PART: '40' })
  world.customers.push(...makeCustomers(50, 3))
  for (const { orders } of world.customers.slice(0, 40)) {
    if (Array.isArray(orders)) for (const order of orders) order.note = randomBytes(20_000).toString('base64')
  }
  const manifest = await run(world)
  expect(manifest.parts[0]?.bytes).toBeGreaterThan(2 * 1024 * 1024)
  const all = (await pages(world, '/api/order-lines?top=7')).flatMap(({ value }) => value)
  expect(ids(all)).toEqual(
    Array.from({ length: 50 }, (_, customer) => [0, 1, 2].map(order => `order-${customer + 1}-${order}/0`)).flat(),
  )
  const one = await ask(world, '/api/order-lines?top=1000')
  expect(one.value).toHaveLength(150)
  expect(one.calls).toBeLessThanOrEqual(12)

  const blob = `${folder(manifest.snapshotId)}/part-00000.ndjson.gz`
  const stored = world.store.blobs.get(blob)
  if (stored !== undefined)
    stored.body = Buffer.concat([stored.body.subarray(0, 900_000), randomBytes(stored.body.length - 900_000)])
  await expect(ask(world, '/api/order-lines?top=1000')).rejects.toMatchObject({
    code: 'snapshot_corrupt',
    message: expect.stringContaining(blob),
  })
})
