import { expect, test } from 'vitest'
import type { Latest } from '../../../shared/snapshots/storage/shapes.ts'
import {
  blobsBelow,
  look,
  minute,
  poll,
  positionOf,
  readsOf,
  type Told,
  tick,
  worldOf,
} from '../../support/following-world.ts'
import { createOperation } from '../../support/operations.ts'
import { customerId, json, note, placeOrder, run } from '../../support/snapshot-world.ts'

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
