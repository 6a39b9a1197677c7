import { expect, test } from 'vitest'
import type { ChangeFigures, Figures, LineFigures } from '../../../shared/report/figures.ts'
import { gather } from '../../../shared/report/gather.ts'
import { createReadRun } from '../../../shared/snapshots/reading/read-run.ts'
import { createFindRuns } from '../../../shared/snapshots/storage/find-runs.ts'
import { createReader } from '../../../shared/snapshots/storage/reader.ts'
import { createOperation, type TestOperation } from '../../support/operations.ts'
import {
  createWorld,
  customerId,
  folder,
  makeCustomers,
  run,
  type UpstreamCustomer,
  type UpstreamOrder,
  type World,
} from '../../support/snapshot-world.ts'

const dayMs = 86_400_000

const order = (id: string, more: Partial<UpstreamOrder> = {}, quantity = 1): UpstreamOrder => ({
  id,
  creationDate: '2026-11-03T10:00:00Z',
  status: 'completed',
  billingCycle: 'monthly',
  currencyCode: 'EUR',
  lineItems: [{ lineItemNumber: 0, offerId: 'A:B:C', friendlyName: `Product ${id}`, quantity }],
  ...more,
})

async function worldOf(...customers: UpstreamCustomer[]): Promise<World> {
  const world = await createWorld({ SNAPSHOT_CUSTOMERS_PER_PART: '2' })
  world.customers.push(...customers)
  return world
}

const customer = (number: number, orders: UpstreamCustomer['orders']): UpstreamCustomer => ({
  id: customerId(number),
  name: `Customer ${number}`,
  orders,
})

const ordersOf = (world: World, number: number): UpstreamOrder[] => {
  const found = world.customers.find(({ id }) => id === customerId(number))?.orders
  if (!Array.isArray(found)) throw new Error('The customer fails')
  return found
}

/** The figures of a run, computed by a new worker. */
async function figuresOf(
  world: World,
  snapshotId: string,
  operation: TestOperation = createOperation({ clock: world.clock }),
): Promise<Figures> {
  const { store, clock } = world
  const reader = createReader(store)
  const runs = createFindRuns(store, reader)
  const finished = await runs.finished(snapshotId)
  if (finished === undefined) throw new Error('The run has no manifest')
  return gather({ store, reader, runs, readRun: createReadRun({ store, runs, reader }), clock }, finished, operation)
}

const nextRun = async (world: World): Promise<Figures> => {
  await world.clock.advance(dayMs)
  return figuresOf(world, (await run(world)).snapshotId)
}

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

/** Removes the Parquet files of a run, as if an earlier version had written the run. */
function withoutLines(world: World, snapshotId: string): void {
  for (const [name, { metadata }] of world.store.blobs) {
    if (name.startsWith(folder(snapshotId, 'lines'))) world.store.blobs.delete(name)
    if (name === `${folder(snapshotId)}/_manifest.json`) metadata.lines = 'false'
  }
}

test('the figures of a run without Parquet files are the same, read from its orders', async () => {
  const world = await worldOf(
    customer(1, [order('a', { totalPrice: 3 }, 3), order('b', { status: 'pending' }, 4)]),
    customer(2, [order('c')]),
    customer(3, []),
  )
  const { snapshotId } = await run(world)
  const { lines } = await figuresOf(world, snapshotId)
  withoutLines(world, snapshotId)
  expect((await figuresOf(world, snapshotId)).lines).toEqual(lines)
  expect(lines).toMatchObject({ orders: 3, lines: 3, seats: 8 })
})

test.each([
  ['lines', 'part-00001.parquet', 'lines'],
  ['changes', 'part-00000.ndjson.gz', 'changes'],
  ['snapshots', '_index-00000.json', 'gone'],
  ['snapshots', '_plan.json', 'failures'],
])('a damaged blob of %s/…/%s leaves its part out of the report', async (root, name, part) => {
  const world = await worldOf(...makeCustomers(4))
  await run(world)
  world.customers.shift()
  await world.clock.advance(dayMs)
  const { snapshotId } = await run(world)
  const blob = world.store.blobs.get(`${folder(snapshotId, root)}/${name}`)
  if (blob === undefined) throw new Error('There is no such blob')
  blob.body = Buffer.concat([blob.body.subarray(0, 10), Buffer.from('damage')])
  const operation = createOperation({ clock: world.clock })
  const figures = await figuresOf(world, snapshotId, operation)
  expect(figures.run.orders).toBe(6)
  if (part === 'lines' || part === 'changes') expect(figures[part]).toEqual({ missing: 'damaged' })
  else expect(figures.gone).toEqual([])
  expect(operation.logged.map(({ event }) => event)).toContain('report_incomplete')
})

test('gathering the figures rejects if storage cannot be reached', async () => {
  const world = await worldOf(...makeCustomers(2))
  const { snapshotId } = await run(world)
  world.store.before = (operation, name) => {
    if (operation === 'read' && name.endsWith('.parquet')) throw new Error('unreachable')
  }
  await expect(figuresOf(world, snapshotId)).rejects.toThrow()
})
