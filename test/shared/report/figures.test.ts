import { expect, test } from 'vitest'
import type { ChangeFigures, LineFigures } from '../../../shared/report/figures.ts'
import { customer, dayMs, figuresOf, nextRun, order, ordersOf, worldOf } from '../../support/figures-world.ts'
import { createOperation } from '../../support/operations.ts'
import { customerId, makeCustomers, run } from '../../support/snapshot-world.ts'

test('the figures of a first run have sums of its lines and no changes', async () => {
  const world = await worldOf(
    customer(1, [
      order('a', { totalPrice: 10.5 }, 3),
      order('b', { status: 'pending', creationDate: '2026-10-31T23:59:59Z' }, 4),
    ]),
    customer(2, []),
    customer(3, [
      order('c', { billingCycle: 'annual', currencyCode: 'USD', creationDate: '2019-01-01T00:00:00Z' }, 5),
      order('d', { lineItems: [] }),
      order('e', {
        creationDate: undefined,
        status: undefined,
        totalPrice: 2,
        lineItems: [{ quantity: 1 }, { quantity: 0 }],
      }),
    ]),
  )
  const { snapshotId } = await run(world)
  const { lines, ...figures } = await figuresOf(world, snapshotId)
  expect(figures).toMatchObject({
    run: { snapshotId, status: 'succeeded', orders: 5 },
    customers: { planned: 3, read: 3, failed: 0, gone: 0 },
    changes: { missing: 'first run' },
    failures: { total: 0, groups: [] },
    gone: [],
    history: [{ snapshotId, failed: 0, changes: 0, status: 'succeeded' }],
  })
  expect(figures).not.toHaveProperty('before')
  expect(lines).toMatchObject({
    orders: 4,
    lines: 5,
    seats: 13,
    byStatus: [
      { name: 'completed', orders: 2, lines: 2, seats: 8 },
      { name: 'pending', orders: 1, lines: 1, seats: 4 },
      { name: 'unknown', orders: 1, lines: 2, seats: 1 },
    ],
    byBillingCycle: [
      { name: 'monthly', orders: 3, lines: 4, seats: 8 },
      { name: 'annual', orders: 1, lines: 1, seats: 5 },
    ],
    byCurrency: [
      { name: 'EUR', orders: 3, lines: 4, seats: 8, value: 12.5, priced: 2 },
      { name: 'USD', orders: 1, priced: 0 },
    ],
    earlier: { orders: 1, seats: 5 },
    undated: 1,
  })
  const { months } = lines as LineFigures
  expect(months).toHaveLength(24)
  expect(months.slice(-2)).toEqual([
    { month: '2026-10', orders: 1, seats: 4 },
    { month: '2026-11', orders: 1, seats: 3 },
  ])
})

test('the figures list changes with names, largest first', async () => {
  const world = await worldOf(...[1, 2, 3].map(at => customer(at, [order(`${at}a`, {}, 10), order(`${at}b`, {}, 2)])))
  const first = await run(world)
  ordersOf(world, 1).push(order('new', {}, 7))
  ordersOf(world, 2).shift()
  ordersOf(world, 3)[1] = order('3b', {}, 40)
  const figures = await nextRun(world)
  expect(figures.before).toEqual({ snapshotId: first.snapshotId })
  expect(figures.changes).toEqual({
    counts: { created: 1, updated: 1, removed: 1 },
    customers: 3,
    seats: 7 - 10 + 38,
    largest: [
      expect.objectContaining({
        kind: 'updated',
        customerName: 'Customer 3',
        products: ['Product 3b'],
        seatsBefore: 2,
        seatsAfter: 40,
        changedMembers: ['lineItems'],
      }),
      expect.objectContaining({
        kind: 'removed',
        customerName: 'Customer 2',
        products: ['Product 2a'],
        seatsBefore: 10,
        seatsAfter: 0,
      }),
      expect.objectContaining({
        kind: 'created',
        customerName: 'Customer 1',
        orderId: 'new',
        seatsBefore: 0,
        seatsAfter: 7,
      }),
    ],
  })
  expect(figures.history.map(({ changes }) => changes)).toEqual([0, 3])
})

test('the figures list the 25 largest changes and count all', async () => {
  const world = await worldOf(...makeCustomers(5, 1))
  await run(world)
  for (let at = 0; at < 200; at++) ordersOf(world, 1 + (at % 5)).push(order(`n${at}`, {}, at))
  const { changes } = await nextRun(world)
  const { counts, largest, seats, customers } = changes as ChangeFigures
  expect({ counts, customers, seats }).toEqual({
    counts: { created: 200, updated: 0, removed: 0 },
    customers: 5,
    seats: (199 * 200) / 2,
  })
  expect(largest.map(({ seatsAfter }) => seatsAfter)).toEqual(Array.from({ length: 25 }, (_, at) => 199 - at))
})

test('the figures group failures by reason, with the last successful run, and name the customers that left', async () => {
  const world = await worldOf(...makeCustomers(6))
  const first = await run(world)
  Object.assign(world.customers[0] ?? {}, { orders: { status: 403, code: '20002' } })
  Object.assign(world.customers[1] ?? {}, { orders: { status: 403, code: '20002' } })
  Object.assign(world.customers[2] ?? {}, { orders: { status: 404, code: '60003' } })
  world.customers.push(customer(9, { status: 403, code: '20002' }))
  world.customers.splice(5, 1)
  const { failures, gone, customers, run: snapshot } = await nextRun(world)
  expect(snapshot.status).toBe('completedWithErrors')
  expect(customers).toEqual({ planned: 7, read: 2, failed: 4, gone: 1 })
  const { snapshotId: lastRead } = first
  expect(failures).toEqual({
    total: 4,
    groups: [
      {
        code: 'no_customer_relationship',
        count: 3,
        customers: [
          expect.objectContaining({ customerName: 'Customer 1', lastRead }),
          expect.objectContaining({ customerName: 'Customer 2', lastRead }),
          expect.not.objectContaining({ lastRead }),
        ],
      },
      {
        code: 'customer_not_found',
        count: 1,
        customers: [expect.objectContaining({ customerName: 'Customer 3', lastRead })],
      },
    ],
  })
  expect(gone).toEqual([{ customerTenantId: customerId(6), customerName: 'Customer 6' }])
})

test('the figures of a run where every customer failed list the failures', async () => {
  const world = await worldOf(...makeCustomers(3))
  for (const each of world.customers) each.orders = { status: 403, code: '20002' }
  const { snapshotId } = await run(world)
  const figures = await figuresOf(world, snapshotId)
  expect(figures).toMatchObject({
    run: { status: 'failed', error: { code: 'snapshot_failed' } },
    changes: { missing: 'failed run' },
    failures: { total: 3, groups: [{ count: 3 }] },
    lines: { orders: 0, lines: 0 },
  })
})

test('the figures of a run without customers or without orders are empty', async () => {
  const [none, empty] = [await worldOf(), await worldOf(customer(1, []), customer(2, []))]
  expect(await figuresOf(none, (await run(none)).snapshotId)).toMatchObject({
    customers: { planned: 0, read: 0 },
    lines: { lines: 0 },
  })
  expect(await figuresOf(empty, (await run(empty)).snapshotId)).toMatchObject({
    run: { orders: 0, status: 'succeeded' },
    lines: { lines: 0 },
  })
})

test('the history has the 30 newest runs over all customers with failed ones, oldest first', async () => {
  const world = await worldOf(...makeCustomers(2))
  for (let day = 0; day < 33; day++) {
    world.list = day === 20 ? { status: 401 } : undefined
    await run(world)
    await world.clock.advance(dayMs)
  }
  await world.snapshots.start('request', [[customerId(1), 'Customer 1']], createOperation({ clock: world.clock }))
  await world.drain()
  const { history } = await nextRun(world)
  expect(history).toHaveLength(30)
  expect(history.map(({ snapshotId }) => snapshotId)).toEqual(history.map(({ snapshotId }) => snapshotId).toSorted())
  expect(history.filter(({ status }) => status === 'failed')).toHaveLength(1)
})
