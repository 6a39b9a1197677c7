import { describe, expect, test } from 'vitest'
import type { Latest } from '../../../shared/snapshots/storage/shapes.ts'
import { blobsBelow, minute, poll, tick, worldOf } from '../../support/following-world.ts'
import { createOperation } from '../../support/operations.ts'
import { customerId, json, placeOrder, run, type World } from '../../support/snapshot-world.ts'

describe('old following runs', () => {
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

describe('a run over the failed customers', () => {
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

test('a poll returns the changes of a following run that is deleted while it reads', async () => {
  const world = await worldOf()
  await run(world)
  const from = await world.snapshots.changes.end()
  await world.clock.advance(2 * minute)
  placeOrder(world, 3, 'new-order')
  await tick(world)
  await world.clock.advance(86_400_000)
  await run(world)
  expect(blobsBelow(world, 'following/')).not.toEqual([])
  world.store.before = (operation, name) => {
    if (operation !== 'head' || !/^following.*_manifest.json$/.test(name)) return
    for (const blob of blobsBelow(world, 'following/')) world.store.blobs.delete(blob)
  }
  const { told } = await poll(world, from)
  expect(blobsBelow(world, 'following/')).toEqual([])
  expect(told).toMatchObject([{ kind: 'created', orderId: 'new-order' }])
})
