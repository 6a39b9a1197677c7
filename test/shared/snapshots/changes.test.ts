import { describe, expect, test } from 'vitest'
import { decodeLines } from '../../../shared/snapshots/storage/codec.ts'
import type { Index, IndexEntry } from '../../../shared/snapshots/storage/shapes.ts'
import { createOperation } from '../../support/operations.ts'
import {
  createWorld,
  customerId,
  folder,
  json,
  makeCustomers,
  run,
  smallParts,
  type World,
} from '../../support/snapshot-world.ts'

const nothing = { created: 0, updated: 0, removed: 0 }

const worldOf = async (customers: number, settings = {}): Promise<World> => {
  const world = await createWorld({ ...smallParts, ...settings })
  world.customers.push(...makeCustomers(customers))
  return world
}

/** All lines of a run's changes. */
async function changesOf(world: World, id: string): Promise<Record<string, unknown>[]> {
  const prefix = folder(id, 'changes')
  const bodies = [...world.store.blobs].filter(([name]) => name.startsWith(prefix)).map(([, { body }]) => body)
  const lines = await Promise.all(bodies.map(decodeLines))
  return lines.flat().map(line => JSON.parse(line.toString()) as Record<string, unknown>)
}

/** The index entry of a customer in a run. */
function entryOf(world: World, id: string, customer: number): IndexEntry | undefined {
  const names = [...world.store.blobs.keys()].filter(name => name.startsWith(`${folder(id)}/_index-`))
  const entries = names.flatMap(name => json<Index>(world, name).customers)
  return entries.find(({ customerTenantId }) => customerTenantId === customerId(customer))
}

describe('a damaged earlier run', () => {
  test.each([
    ['has lost its plan', (name: string) => name.endsWith('_plan.json')],
    ['has lost an index', (name: string) => name.endsWith('_index-00000.json')],
    ['has lost everything but its manifest', (name: string) => !name.endsWith('_manifest.json')],
    ['is gone', () => true],
  ])('a damaged earlier run (%s) costs its comparisons, and gives no false change', async (_, isLost) => {
    const world = await worldOf(7)
    const { snapshotId } = await run(world)
    for (const name of [...world.store.blobs.keys()])
      if (name.startsWith(folder(snapshotId)) && isLost(name)) world.store.blobs.delete(name)
    world.snapshots = await world.newWorker()
    const second = await run(world)
    expect(second).toMatchObject({ status: 'succeeded', changes: nothing, customers: { read: 7 } })
    const [first] = world.customers
    if (Array.isArray(first?.orders)) first.orders.pop()
    expect(await run(world)).toMatchObject({ changes: { ...nothing, removed: 1 } })
  })
})

describe('a customer list that ends early', () => {
  test('a customer list that ends early removes no customer, and creates none the next day', async () => {
    const world = await worldOf(9)
    await run(world)
    world.list = { cutAfter: 3 }
    expect(await run(world)).toMatchObject({ customers: { planned: 9, read: 9 }, changes: nothing })
    world.list = undefined
    expect(await run(world)).toMatchObject({ customers: { planned: 9, read: 9 }, changes: nothing })
  })

  test('a customer list that ends early in the first run creates no customer in the second', async () => {
    const world = await worldOf(9)
    world.list = { cutAfter: 3 }
    expect(await run(world)).toMatchObject({ customers: { planned: 3 } })
    world.list = undefined
    expect(await run(world)).toMatchObject({ customers: { planned: 9 }, changes: nothing })
  })
})

describe('a new customer', () => {
  test('the orders of a new customer are created at its first reading, even if earlier readings failed', async () => {
    const world = await worldOf(3)
    await run(world)
    const [added] = makeCustomers(4).slice(3)
    if (added === undefined) throw new Error('There is no fourth customer')
    const { orders } = added
    world.customers.push(added)
    for (let times = 0; times < 2; times++) {
      added.orders = { status: 403, code: '20002' }
      const { snapshotId, changes } = await run(world)
      expect(changes).toEqual(nothing)
      expect(entryOf(world, snapshotId, 4)).toMatchObject({ isNew: true, error: { code: 'no_customer_relationship' } })
    }
    added.orders = orders
    const { snapshotId, changes } = await run(world)
    expect(changes).toEqual({ ...nothing, created: 2 })
    const told = await changesOf(world, snapshotId)
    expect(told.map(({ kind, customerTenantId }) => [kind, customerTenantId])).toEqual([
      ['created', customerId(4)],
      ['created', customerId(4)],
    ])
    expect(told[0]).not.toHaveProperty('previousSnapshotId')
  })

  test('a customer of the first run is not new, even if its reading failed', async () => {
    const world = await worldOf(2)
    const [first] = world.customers
    const orders = first?.orders
    Object.assign(first ?? {}, { orders: 'network' })
    await run(world)
    Object.assign(first ?? {}, { orders })
    expect((await run(world)).changes).toEqual(nothing)
  })
})

describe('a customer that left', () => {
  test('a customer that left is removed once, is no failure, and is created when it returns', async () => {
    const world = await worldOf(5)
    const first = await run(world)
    const [left] = world.customers.splice(1, 1)
    const second = await run(world)
    expect(second).toMatchObject({ status: 'succeeded', customers: { read: 4, failed: 0 }, failures: [] })
    expect(second.changes).toEqual({ ...nothing, removed: 2 })
    expect(entryOf(world, second.snapshotId, 2)).toEqual({
      customerTenantId: customerId(2),
      customerName: 'Customer 2',
      gone: true,
      lastRead: first.snapshotId,
    })
    const [removed] = await changesOf(world, second.snapshotId)
    expect(removed).toMatchObject({ kind: 'removed', previousSnapshotId: first.snapshotId })

    const reads = () => world.requests.filter(({ path }) => path.includes(customerId(2))).length
    const before = reads()
    expect(await run(world)).toMatchObject({ customers: { planned: 4 }, changes: nothing })
    expect(reads()).toBe(before)
    const { readBack } = await world.newWorker()
    expect(await readBack(customerId(2), undefined, createOperation())).toMatchObject({ snapshotId: first.snapshotId })

    if (left !== undefined) world.customers.push(left)
    expect((await run(world)).changes).toEqual({ ...nothing, created: 2 })
  })

  test('an unlisted customer with an outage is a failure, and none of its orders is removed', async () => {
    const world = await worldOf(3)
    await run(world)
    const [left] = world.customers
    world.list = { cutAfter: 0 }
    Object.assign(left ?? {}, { orders: 'network' })
    expect(await run(world)).toMatchObject({ customers: { planned: 3, read: 2, failed: 1 }, changes: nothing })
  })
})

test('a customer that failed is compared with the newest run in which it was read', async () => {
  const world = await worldOf(2)
  const { snapshotId } = await run(world)
  const [customer] = world.customers
  const orders = Array.isArray(customer?.orders) ? [...customer.orders] : []
  Object.assign(customer ?? {}, { orders: { status: 500 } })
  for (let times = 0; times < 3; times++) await run(world)
  Object.assign(customer ?? {}, { orders: orders.slice(1) })
  const last = await run(world)
  expect(await changesOf(world, last.snapshotId)).toEqual([
    expect.objectContaining({ kind: 'removed', previousSnapshotId: snapshotId }),
  ])
})

test('SNAPSHOT_CUSTOMERS gives no changes of other customers, even after it is cleared', async () => {
  const world = await worldOf(6)
  const first = await run(world)
  const all = world.snapshots
  const restricted = await createWorld(
    { ...smallParts, SNAPSHOT_CUSTOMERS: [1, 2].map(customerId).join() },
    world.store,
  )
  await restricted.clock.advance(world.clock.now() + 60_000 - restricted.clock.now())
  restricted.customers.push(...world.customers)
  expect(await run(restricted)).toMatchObject({ customers: { planned: 2 }, changes: nothing })
  const { readBack } = await restricted.newWorker()
  expect(await readBack(customerId(5), undefined, createOperation())).toMatchObject({ snapshotId: first.snapshotId })
  await world.clock.advance(3_600_000)
  world.snapshots = all
  const [, , third] = world.customers
  if (Array.isArray(third?.orders)) third.orders.pop()
  expect(await run(world)).toMatchObject({ customers: { planned: 6 }, changes: { ...nothing, removed: 1 } })
})
