import { describe, expect, test } from 'vitest'
import type { Current } from '../../../shared/snapshots/storage/shapes.ts'
import { blobsBelow, look, minute, poll, positionOf, tick, worldOf } from '../../support/following-world.ts'
import { createOperation } from '../../support/operations.ts'
import { json, note, placeOrder, run, start } from '../../support/snapshot-world.ts'

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
