import { describe, expect, test } from 'vitest'
import type { FeedPosition } from '../../../shared/snapshots/changes/changes-feed.ts'
import type { Current, Latest } from '../../../shared/snapshots/storage/shapes.ts'
import { createOperation, type TestOperation } from '../../support/operations.ts'
import {
  createWorld,
  customerId,
  json,
  makeCustomers,
  note,
  placeOrder,
  run,
  start,
  type World,
} from '../../support/snapshot-world.ts'

const minute = 60_000

const worldOf = async (customers = 5, settings: Record<string, string> = {}): Promise<World> => {
  const world = await createWorld({ SNAPSHOT_CUSTOMERS_PER_PART: '2', ...settings })
  world.customers.push(...makeCustomers(customers))
  return world
}

/** One tick of following, without the run that it starts. */
async function look(world: World, worker = world.snapshots): Promise<TestOperation> {
  const operation = createOperation({ clock: world.clock, seconds: 540 })
  await worker.follow(operation)
  return operation
}

/** Ten minutes later: a tick of following, and the run that it starts. */
async function tick(world: World): Promise<TestOperation> {
  await world.clock.advance(10 * minute)
  const operation = await look(world)
  await world.drain()
  return operation
}

type Told = { id: string; kind: string; customerTenantId: string; orderId: string; previousSnapshotId?: string }

async function poll(world: World, from: FeedPosition): Promise<{ told: Told[]; next: FeedPosition }> {
  const page = await world.snapshots.changes.read(from, {}, 1000, createOperation({ clock: world.clock }))
  if (page === undefined) throw new Error('The position is no longer kept')
  return { told: page.changes.map(line => JSON.parse(line.toString()) as Told), next: page.next }
}

const positionOf = (world: World) => json<{ position: string }>(world, 'following.json').position
const blobsBelow = (world: World, prefix: string) =>
  [...world.store.blobs.keys()].filter(name => name.startsWith(prefix))
const readsOf = (world: World, customer: number) =>
  world.requests.filter(({ path }) => path === `/v1/customers/${customerId(customer)}/orders`).length

test('an order in the log is reported after one tick, and asOf has it', async () => {
  const world = await worldOf()
  const { snapshotId } = await run(world)
  const from = await world.snapshots.changes.end()
  await world.clock.advance(2 * minute)
  placeOrder(world, 3, 'new-order')
  await tick(world)
  const { told, next } = await poll(world, from)
  expect(told).toMatchObject([
    { kind: 'created', orderId: 'new-order', customerTenantId: customerId(3), previousSnapshotId: snapshotId },
  ])
  expect((await poll(world, next)).told).toEqual([])
  const operation = createOperation({ clock: world.clock })
  const { orders } = await world.snapshots.readBack(customerId(3), undefined, operation)
  expect(orders.map(({ id }) => id)).toContain('new-order')
  const before = await world.snapshots.readBack(
    customerId(3),
    Date.parse(json<Latest>(world, 'latest.json').asOf),
    operation,
  )
  expect(before).toMatchObject({ snapshotId })
  // For a customer that was not read again, the snapshot is the source.
  expect(await world.snapshots.readBack(customerId(1), undefined, operation)).toMatchObject({ snapshotId })
  expect(blobsBelow(world, 'following/').map(name => name.replace(/.*\//, ''))).toEqual(
    expect.arrayContaining(['_index-00000.json', '_manifest.json', '_plan.json', 'part-00000.ndjson.gz']),
  )
  expect(json<Latest>(world, 'latest.json').snapshotId).toBe(snapshotId)
  const listed = await world.snapshots.status.list(10, undefined)
  expect(listed.runs.map(({ snapshotId }) => snapshotId)).toEqual([snapshotId])
})

test('the next snapshot and tick compare with the newest reading, and report nothing twice', async () => {
  const world = await worldOf()
  await run(world)
  const from = await world.snapshots.changes.end()
  placeOrder(world, 3, 'a')
  await tick(world)
  placeOrder(world, 3, 'b')
  placeOrder(world, 4, 'c')
  await tick(world)
  await tick(world)
  expect(await run(world)).toMatchObject({ changes: { created: 0, updated: 0, removed: 0 }, missedByFollowing: 0 })
  await tick(world)
  const { told } = await poll(world, from)
  expect(told.map(({ orderId }) => orderId)).toEqual(['a', 'b', 'c'])
  expect(new Set(told.map(({ id }) => id)).size).toBe(3)
})

test('a reading without a difference writes nothing but the position', async () => {
  const world = await worldOf()
  await run(world)
  const before = new Map([...world.store.blobs].map(([name, { etag }]) => [name, etag]))
  note(world, 2)
  await tick(world)
  const changed = [...world.store.blobs].filter(([name, { etag }]) => before.get(name) !== etag).map(([name]) => name)
  expect(changed.sort()).toEqual(['following.json', 'pace.json'])
  expect(Date.parse(positionOf(world))).toBeGreaterThan(world.clock.now() - minute)
})

test('records that are late, repeated or out of order are reported once', async () => {
  const world = await worldOf()
  await run(world)
  const from = await world.snapshots.changes.end()
  await tick(world)
  await tick(world)
  placeOrder(world, 2, 'late', { operationDate: new Date(world.clock.now() - 8 * minute).toISOString() })
  note(world, 2)
  note(world, 2, { operationDate: new Date(world.clock.now() - 29 * minute).toISOString() })
  const reads = readsOf(world, 2)
  await tick(world)
  expect(readsOf(world, 2) - reads).toBeLessThanOrEqual(2)
  for (let times = 0; times < 4; times++) await tick(world)
  expect((await poll(world, from)).told.map(({ orderId }) => orderId)).toEqual(['late'])
})

test('an order that its customer’s list shows later than the log is reported, too', async () => {
  const world = await worldOf()
  await run(world)
  const from = await world.snapshots.changes.end()
  note(world, 2)
  await tick(world)
  const second = world.customers[1]
  if (Array.isArray(second?.orders)) second.orders = [...second.orders, { id: 'slow' }]
  for (let times = 0; times < 3; times++) await tick(world)
  expect((await poll(world, from)).told.map(({ orderId }) => orderId)).toEqual(['slow'])
})

test('a tick without changes takes at most two upstream calls and five storage calls', async () => {
  const world = await worldOf()
  await run(world)
  placeOrder(world, 3, 'a')
  await tick(world)
  for (let times = 0; times < 6; times++) {
    await world.clock.advance(10 * minute)
    const operations: string[] = []
    world.store.before = (operation, name) => operations.push(`${operation} ${name}`)
    await look(world, await world.newWorker())
    world.store.before = () => undefined
    const upstream = operations.filter(each => each.startsWith('request'))
    // 30 minutes after the record, its customer is read once more.
    if (upstream.length === 1) expect(operations).toHaveLength(6)
    expect(upstream.length).toBeLessThanOrEqual(2)
  }
})

describe('the position', () => {
  test('the position starts at the newest snapshot, and waits for one', async () => {
    const world = await worldOf()
    await look(world)
    expect(world.requests).toEqual([])
    await run(world)
    placeOrder(world, 1, 'a')
    const from = await world.snapshots.changes.end()
    await tick(world)
    expect((await poll(world, from)).told).toHaveLength(1)
  })

  test('the position is moved only once the run has ended', async () => {
    const world = await worldOf()
    await run(world)
    await tick(world)
    const before = positionOf(world)
    await world.clock.advance(minute)
    const placedAt = world.clock.now()
    placeOrder(world, 3, 'a')
    await world.clock.advance(9 * minute)
    await look(world)
    expect(Date.parse(positionOf(world))).toBeLessThanOrEqual(placedAt)
    expect(positionOf(world) >= before).toBe(true)
    // The run is cancelled, so that its readings do not count. The next tick starts another run.
    const { snapshotId } = json<Current>(world, 'current.json')
    await world.snapshots.cancel(snapshotId, createOperation({ clock: world.clock }))
    const from = await world.snapshots.changes.end()
    await world.drain()
    expect((await poll(world, from)).told).toEqual([])
    await tick(world)
    expect((await poll(world, from)).told.map(({ orderId }) => orderId)).toEqual(['a'])
    await tick(world)
    expect(Date.parse(positionOf(world))).toBeGreaterThan(world.clock.now() - minute)
  })

  test('a position of more than 90 days ago is replaced by the newest snapshot, with a warning', async () => {
    const world = await worldOf()
    await run(world)
    await tick(world)
    await world.clock.advance(100 * 86_400_000)
    await run(world)
    placeOrder(world, 1, 'a')
    const from = await world.snapshots.changes.end()
    const operation = await tick(world)
    expect(operation.logged).toContainEqual(expect.objectContaining({ level: 'warn', event: 'following_starts' }))
    expect((await poll(world, from)).told).toHaveLength(1)
  })

  test('the position does not pass a customer that cannot be read for a while', async () => {
    const world = await worldOf()
    await run(world)
    const from = await world.snapshots.changes.end()
    placeOrder(world, 2, 'a')
    const second = world.customers[1]
    const orders = second?.orders ?? []
    Object.assign(second ?? {}, { orders: { status: 503 } })
    for (let times = 0; times < 9; times++) await tick(world)
    Object.assign(second ?? {}, { orders })
    await tick(world)
    expect((await poll(world, from)).told.map(({ orderId }) => orderId)).toEqual(['a'])
    await tick(world)
    expect(Date.parse(positionOf(world))).toBeGreaterThan(world.clock.now() - minute)
  })

  test.each([
    ['gone', { status: 404, code: '60003' }],
    ['no longer the partner’s', { status: 403, code: '20002' }],
  ])('the position passes a customer that is %s', async (_, orders) => {
    const world = await worldOf()
    await run(world)
    note(world, 2)
    Object.assign(world.customers[1] ?? {}, { orders })
    await tick(world)
    expect(Date.parse(positionOf(world))).toBeGreaterThan(world.clock.now() - minute)
    expect(blobsBelow(world, 'following/')).toEqual([])
  })
})

test('a tick waits for a running snapshot, and a start waits for a following run', async () => {
  const world = await worldOf()
  await run(world)
  await start(world)
  const before = world.requests.length
  placeOrder(world, 1, 'a')
  await look(world)
  expect(world.requests).toHaveLength(before)
  await world.drain()
  placeOrder(world, 1, 'b')
  await look(world)
  const operation = createOperation({ clock: world.clock })
  const { snapshotId } = json<Current>(world, 'current.json')
  expect(await world.snapshots.start('request', undefined, operation)).toEqual({ snapshotId, started: false })
  expect(await world.snapshots.status.get(snapshotId, operation)).toMatchObject({ running: { snapshotId } })
  await world.drain()
  expect(await world.snapshots.status.get(snapshotId, operation)).toMatchObject({ manifest: { status: 'succeeded' } })
})

test.each([
  ['refused', { status: 403 }, 'partner_center_forbidden'],
  ['broken', { status: 500 }, 'partner_center_unavailable'],
  ['throttled', { status: 429, headers: { 'retry-after': '3600' } }, 'partner_center_throttled'],
  ['of another form', { status: 200 }, 'partner_center_invalid_response'],
])('a log that is %s gives one warning a day, and the position stays', async (_, failure, code) => {
  const world = await worldOf()
  await run(world)
  await tick(world)
  const before = positionOf(world)
  world.log.failure = failure
  const logged: string[] = []
  for (let times = 0; times < 200; times++) {
    const operation = await tick(world)
    logged.push(...operation.logged.filter(({ event }) => event === 'following_stopped').map(({ event }) => event))
  }
  const hours = (world.clock.now() - Date.parse(before)) / 3_600_000
  expect(logged).toHaveLength(Math.ceil(hours / 24))
  expect(await world.snapshots.followed()).toMatchObject({ position: before, error: { code } })
  world.log.failure = undefined
  await tick(world)
  expect(await world.snapshots.followed()).not.toHaveProperty('error')
})

test('a cloud without an activity log gets no calls', async () => {
  const world = await worldOf(2, { PARTNER_CENTER_CLOUD: 'china' })
  await run(world)
  const before = world.requests.length
  await tick(world)
  await tick(world)
  expect(world.requests).toHaveLength(before)
  expect(await world.snapshots.followed()).toMatchObject({ error: { code: 'activity_log_missing' } })
})

test('a snapshot counts the changes that following should have reported', async () => {
  const world = await worldOf()
  expect(await run(world)).not.toHaveProperty('missedByFollowing')
  placeOrder(world, 1, 'unlogged')
  world.log.items.length = 0
  await world.clock.advance(minute)
  await tick(world)
  await world.clock.advance(minute)
  // Following has not read this one yet.
  placeOrder(world, 2, 'young')
  const operation = createOperation({ clock: world.clock })
  const manifest = await run(world)
  expect(manifest).toMatchObject({ changes: { created: 2 }, missedByFollowing: 1 })
  expect((await world.snapshots.status.list(1, undefined)).runs).toMatchObject([{ missedByFollowing: 1 }])
  expect(operation.logged).toEqual([])
})

describe('readings older than the second newest snapshot', () => {
  test('following runs before the second newest snapshot are deleted, and their changes stay', async () => {
    const world = await worldOf()
    await run(world)
    const from = await world.snapshots.changes.end()
    placeOrder(world, 3, 'a')
    await tick(world)
    const { next } = await poll(world, from)
    await world.clock.advance(86_400_000)
    await run(world)
    expect(blobsBelow(world, 'following/')).not.toEqual([])
    const runsWithLines = () => new Set(blobsBelow(world, 'lines/').map(name => /run=([^/]+)/.exec(name)?.[1]))
    expect(runsWithLines().size).toBe(3)
    await world.clock.advance(86_400_000)
    await run(world)
    expect(blobsBelow(world, 'following/')).toEqual([])
    // The three snapshots have lines. The following run had them, too.
    expect(runsWithLines().size).toBe(3)
    const worker = await world.newWorker()
    world.snapshots = worker
    expect((await poll(world, from)).told.map(({ orderId }) => orderId)).toEqual(['a'])
    expect((await poll(world, next)).told).toEqual([])
    placeOrder(world, 3, 'b')
    await tick(world)
    expect((await poll(world, next)).told.map(({ orderId }) => orderId)).toEqual(['b'])
  })

  test('following runs before the second newest snapshot stay while a customer could not be read since', async () => {
    const world = await worldOf()
    await run(world)
    const from = await world.snapshots.changes.end()
    placeOrder(world, 3, 'a')
    await tick(world)
    const third = world.customers[2]
    const orders = third?.orders
    Object.assign(third ?? {}, { orders: { status: 500 } })
    for (let day = 0; day < 3; day++) {
      await world.clock.advance(86_400_000)
      await run(world)
    }
    expect(blobsBelow(world, 'following/')).not.toEqual([])
    Object.assign(third ?? {}, { orders })
    world.snapshots = await world.newWorker()
    await run(world)
    expect((await poll(world, from)).told.map(({ orderId }) => orderId)).toEqual(['a'])
  })
})

test('following runs are still found when current.json is lost', async () => {
  const world = await worldOf()
  await run(world)
  const from = await world.snapshots.changes.end()
  placeOrder(world, 3, 'a')
  await tick(world)
  world.store.blobs.delete('current.json')
  await run(world)
  expect((await poll(world, from)).told.map(({ orderId }) => orderId)).toEqual(['a'])
})

test('10,000 records at once are reported in a few ticks', async () => {
  const world = await worldOf(1200, { SNAPSHOT_CUSTOMERS_PER_PART: '100' })
  await run(world)
  const from = await world.snapshots.changes.end()
  for (let number = 1; number <= 1200; number++) {
    placeOrder(world, number, `new-${number}`)
    for (let again = 0; again < 8; again++) note(world, number)
  }
  const before = world.requests.length
  for (let times = 0; times < 6; times++) await tick(world)
  const told: Told[] = []
  for (let next = from; ; ) {
    const page = await poll(world, next)
    if (page.told.length === 0) break
    told.push(...page.told)
    next = page.next
  }
  expect(new Set(told.map(({ orderId }) => orderId)).size).toBe(1200)
  expect(told).toHaveLength(1200)
  expect(world.requests.length - before).toBeLessThan(1200 * 3 + 50)
})

describe('a run over those that failed in the newest snapshot', () => {
  const again = async (world: World) => {
    const customers = await world.snapshots.failedCustomers()
    const operation = createOperation({ clock: world.clock })
    const { snapshotId } = await world.snapshots.start('request', customers, operation, { following: true })
    await world.drain()
    return snapshotId
  }

  test('a run over the failed customers is under following/, reports changes, and keeps latest.json', async () => {
    const world = await worldOf()
    await run(world)
    const third = world.customers[2]
    const orders = Array.isArray(third?.orders) ? third.orders : []
    Object.assign(third ?? {}, { orders: { status: 500 } })
    const second = await run(world)
    const from = await world.snapshots.changes.end()
    expect(await world.snapshots.failedCustomers()).toEqual([[customerId(3), 'Customer 3']])
    Object.assign(third ?? {}, { orders: orders.slice(1) })
    const id = await again(world)
    const operation = createOperation({ clock: world.clock })
    expect(await world.snapshots.status.get(id, operation)).toMatchObject({
      manifest: {
        status: 'succeeded',
        customers: { planned: 1, read: 1 },
        path: expect.stringMatching(/^following\//),
      },
    })
    expect((await poll(world, from)).told).toMatchObject([{ kind: 'removed', orderId: orders[0]?.id }])
    expect(json<Latest>(world, 'latest.json').snapshotId).toBe(second.snapshotId)
    expect(await world.snapshots.readBack(customerId(3), undefined, operation)).toMatchObject({ snapshotId: id })
    expect((await run(world)).changes).toEqual({ created: 0, updated: 0, removed: 0 })
  })

  test('a run over the failed customers is refused without failures, and without a snapshot', async () => {
    const world = await worldOf()
    await expect(again(world)).rejects.toMatchObject({ code: 'snapshot_not_found' })
    await run(world)
    await expect(again(world)).rejects.toMatchObject({ code: 'invalid_request', options: { target: 'failedOf' } })
  })
})
