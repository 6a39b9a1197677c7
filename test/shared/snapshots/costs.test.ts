import { describe, expect, test } from 'vitest'
import { createOperation } from '../../support/operations.ts'
import {
  createWorld,
  customerId,
  folder,
  makeCustomers,
  placeOrder,
  run,
  start,
  storageCalls,
  type World,
} from '../../support/snapshot-world.ts'

/** The storage calls of some work on a new worker. */
async function callsOf(world: World, work: (worker: World['snapshots']) => Promise<unknown>): Promise<number> {
  const worker = await world.newWorker()
  let calls = 0
  world.store.before = operation => {
    if (storageCalls.has(operation)) calls++
  }
  await work(worker).catch(() => undefined)
  world.store.before = () => undefined
  return calls
}

/** Copies a run to the ids of `days` earlier days. */
async function copyBack(world: World, id: string, days: number): Promise<string[]> {
  const ids: string[] = []
  for (let day = 1; day <= days; day++) {
    const earlier = new Date(Date.UTC(2026, 10, 20) - day * 86_400_000).toISOString().slice(0, 10)
    const copy = `${earlier.replaceAll('-', '')}T000000Z`
    ids.push(copy)
    for (const [name, blob] of [...world.store.blobs]) {
      if (!name.startsWith(folder(id))) continue
      const startedat = `${earlier}T00:00:00.000Z`
      const metadata = name.endsWith('_manifest.json') ? { ...blob.metadata, startedat } : blob.metadata
      world.store.blobs.set(name.replace(folder(id), folder(copy)), { ...blob, metadata })
    }
  }
  return ids
}

const twoYears = async (): Promise<{ world: World; ids: string[] }> => {
  const world = await createWorld({ SNAPSHOT_CUSTOMERS_PER_PART: '2' })
  world.customers.push(...makeCustomers(5))
  const { snapshotId } = await run(world)
  return { world, ids: [snapshotId, ...(await copyBack(world, snapshotId, 730))] }
}

describe('over two years of runs', () => {
  test('a customer is read back in at most ten calls, also an unknown one', async () => {
    const { world, ids } = await twoYears()
    for (const customer of [1, 5, 77]) {
      for (const atMost of [undefined, Date.UTC(2026, 5, 1, 12), Date.UTC(2025, 5, 1)]) {
        const calls = await callsOf(world, ({ readBack }) => readBack(customerId(customer), atMost, createOperation()))
        expect(calls).toBeLessThanOrEqual(10)
      }
    }
    expect(ids).toHaveLength(731)
  })

  test('a list takes at most one call a run, and few for the newest', async () => {
    const { world } = await twoYears()
    expect(await callsOf(world, ({ status }) => status.list(1, undefined))).toBeLessThanOrEqual(5)
    let listed = 0
    const calls = await callsOf(world, async ({ status }) => {
      listed = (await status.list(1000, undefined)).runs.length
    })
    expect(listed).toBe(731)
    expect(calls).toBeLessThanOrEqual(731 + 5)
  })
})

test('a customer that failed in every later run is read back in at most ten calls', async () => {
  const world = await createWorld({ SNAPSHOT_CUSTOMERS_PER_PART: '2' })
  world.customers.push(...makeCustomers(4))
  const first = await run(world)
  Object.assign(world.customers[2] ?? {}, { orders: { status: 500 } })
  for (let day = 0; day < 5; day++) {
    await world.clock.advance(86_400_000)
    await run(world)
  }
  world.list = { status: 401 }
  for (let day = 0; day < 12; day++) {
    await world.clock.advance(86_400_000)
    await run(world)
  }
  let answered: unknown
  const calls = await callsOf(world, async ({ readBack }) => {
    answered = await readBack(customerId(3), undefined, createOperation())
  })
  expect(answered).toMatchObject({ snapshotId: first.snapshotId })
  expect(calls).toBeLessThanOrEqual(10)
})

test('a customer is read back in at most ten calls between snapshots, whichever run read it last', async () => {
  const world = await createWorld({ SNAPSHOT_CUSTOMERS_PER_PART: '2' })
  world.customers.push(...makeCustomers(6))
  const follow = async (customer: number) => {
    await world.clock.advance(600_000)
    placeOrder(world, customer, `new-${world.clock.now()}`)
    await world.clock.advance(600_000)
    await world.snapshots.follow(createOperation({ clock: world.clock, seconds: 540 }))
    await world.drain()
  }
  await run(world)
  for (const customer of [1, 2, 3, 1, 4]) await follow(customer)
  await world.clock.advance(86_400_000)
  // One customer fails after its reading, and the readings of others are deleted later.
  Object.assign(world.customers[1] ?? {}, { orders: { status: 500 } })
  await run(world)
  for (const customer of [3, 4, 5]) await follow(customer)
  await world.clock.advance(86_400_000)
  await run(world)
  for (const customer of [6, 3]) await follow(customer)
  const newest = world.clock.now()
  const callsFor = (customer: number, atMost: number | undefined) =>
    callsOf(world, ({ readBack }) => readBack(customerId(customer), atMost, createOperation()))
  for (const customer of [1, 2, 3, 4, 5, 6, 77]) {
    expect(await callsFor(customer, undefined), `customer ${customer}`).toBeLessThanOrEqual(8)
    for (const hoursAgo of [0, 13, 25, 37, 49]) {
      const which = `customer ${customer}, ${hoursAgo} hours ago`
      expect(await callsFor(customer, newest - hoursAgo * 3_600_000), which).toBeLessThanOrEqual(10)
    }
    // Before the first run of a date, the lists of that date and of all dates are read in vain.
    expect(await callsFor(customer, newest - 3_600_000), `customer ${customer}`).toBeLessThanOrEqual(13)
  }
})

test('an idle poll takes at most five calls, for any filter and age', async () => {
  const world = await createWorld({ SNAPSHOT_CUSTOMERS_PER_PART: '2' })
  world.customers.push(...makeCustomers(6))
  await run(world)
  const filters = [{}, { kind: 'removed' as const }, { customerTenantId: customerId(6) }]
  const oldest = await world.snapshots.changes.end()
  for (let day = 0; day < 30; day++) {
    await world.clock.advance(86_400_000)
    const [first] = world.customers
    if (Array.isArray(first?.orders)) first.orders.push({ id: `new-${day}`, creationDate: '2026-02-02T00:00:00Z' })
    await run(world)
  }
  const operation = createOperation({ clock: world.clock })
  for (const filter of filters) {
    const page = await world.snapshots.changes.read(oldest, filter, 1000, operation)
    const next = page?.next ?? oldest
    expect(page?.changes).toHaveLength(filter === filters[0] ? 30 : 0)
    const idle = await callsOf(world, ({ changes }) => changes.read(next, filter, 1000, operation))
    expect(idle).toBeLessThanOrEqual(5)
    // Failed runs and runs over some customers do not change that.
    world.list = { status: 401 }
    for (let times = 0; times < 3; times++) await run(world)
    world.list = undefined
    expect(await callsOf(world, ({ changes }) => changes.read(next, filter, 1000, operation))).toBeLessThanOrEqual(5)
  }
  // For a flow that keeps its first cursor, the worker remembers how far it has searched.
  let calls = 0
  world.store.before = () => {
    calls++
  }
  await world.snapshots.changes.read(oldest, { kind: 'removed' }, 1000, operation)
  expect(calls).toBeLessThanOrEqual(5)
})

test('a start does not list the stored runs', async () => {
  const { world } = await twoYears()
  expect(await callsOf(world, () => start(world))).toBeLessThanOrEqual(10)
})
