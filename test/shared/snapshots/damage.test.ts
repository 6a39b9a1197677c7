import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../../shared/errors.ts'
import { createOperation } from '../../support/operations.ts'
import {
  createWorld,
  customerId,
  folder,
  makeCustomers,
  manifestOf,
  run,
  smallParts,
  start,
  type World,
} from '../../support/snapshot-world.ts'

const spoilLatest = (world: World): void => {
  const blob = world.store.blobs.get('latest.json')
  if (blob !== undefined) blob.body = Buffer.from('{"')
}

/** Storage refuses these blobs, as it does for leased and archived ones. */
const lock = (world: World, isLocked: (name: string) => boolean): void => {
  world.store.before = (operation, name) => {
    if (operation !== 'head' && operation !== 'list' && isLocked(name))
      throw new AppError('snapshot_blob_locked', `Storage refuses the blob ${name}.`, { target: name })
  }
}

describe('a locked blob', () => {
  test('a locked blob of an earlier run costs its comparisons, and is named to a reader', async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(4))
    const { snapshotId } = await run(world)
    lock(world, name => name.includes(`run=${snapshotId}/`))
    world.snapshots = await world.newWorker()
    const read = world.snapshots.readBack(customerId(1), undefined, createOperation())
    await expect(read).rejects.toMatchObject({ code: 'snapshot_blob_locked', status: 424, retryable: false })
    expect(await run(world)).toMatchObject({
      status: 'succeeded',
      customers: { planned: 4, read: 4 },
      changes: { created: 0, updated: 0, removed: 0 },
    })
  })

  test('a locked latest.json prevents neither the end of a run nor the next start', async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(2))
    await run(world)
    lock(world, name => name === 'latest.json')
    expect(await run(world)).toMatchObject({ status: 'succeeded' })
    const [first] = world.customers
    if (Array.isArray(first?.orders)) first.orders.pop()
    expect(await run(world)).toMatchObject({ status: 'succeeded', changes: { removed: 1 } })
  })

  test('a locked pace.json is named in the failure, and nothing loops', async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(2))
    let writes = 0
    world.store.before = (operation, name) => {
      if (operation !== 'write' || name !== 'pace.json') return
      writes++
      throw new AppError('snapshot_blob_locked', 'Storage refuses the blob pace.json.', { target: name })
    }
    expect(await run(world)).toMatchObject({ status: 'failed', error: { code: 'snapshot_blob_locked' } })
    expect(writes).toBeLessThan(20)
  })
})

describe('damage', () => {
  const damaged = async (name: (id: string) => string, spoil: (body: Buffer) => Buffer) => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(6))
    const { snapshotId } = await run(world)
    const blob = world.store.blobs.get(name(snapshotId))
    if (blob === undefined) throw new Error('No such blob')
    blob.body = spoil(blob.body)
    return { world, snapshotId, blob: name(snapshotId) }
  }
  const flip = (body: Buffer) => Buffer.from(body.map((byte, at) => (at === 30 ? byte ^ 0xff : byte)))

  test.each([
    ['part', (id: string) => `${folder(id)}/part-00000.ndjson.gz`, flip],
    [
      'part that was cut off',
      (id: string) => `${folder(id)}/part-00000.ndjson.gz`,
      (body: Buffer) => body.subarray(0, 9),
    ],
    ['index', (id: string) => `${folder(id)}/_index-00000.json`, () => Buffer.from('{')],
    [
      'index of another part',
      (id: string) => `${folder(id)}/_index-00000.json`,
      (body: Buffer) => Buffer.from(body.toString().replace(/"sha256":"./g, '"sha256":"x')),
    ],
  ])('damage of a %s is reported, and other customers stay readable', async (_, name, spoil) => {
    const { world } = await damaged(name, spoil)
    const reader = await world.newWorker()
    const error = await reader.readBack(customerId(1), undefined, createOperation()).catch(error => error)

    expect(error).toMatchObject({
      code: 'snapshot_corrupt',
      status: 500,
      message: expect.stringMatching(/part-00000|_index-00000/),
    })
    expect((await reader.readBack(customerId(6), undefined, createOperation())).orders).toHaveLength(2)
  })

  test('damage of a plan is reported, and no older run is used instead', async () => {
    const { world, snapshotId } = await damaged(id => `${folder(id)}/_plan.json`, flip)
    await world.clock.advance(60_000)
    const next = await run(world)
    world.store.blobs.delete(`${folder(next.snapshotId)}/_plan.json`)
    const { readBack } = await world.newWorker()
    expect(await readBack(customerId(1), undefined, createOperation()).catch(error => error)).toMatchObject({
      code: 'snapshot_corrupt',
      message: expect.stringContaining(`run=${next.snapshotId}/_plan.json`),
    })
    expect(next.snapshotId > snapshotId).toBe(true)
  })

  test.each([
    ['cut off', (body: Buffer) => body.subarray(0, 15)],
    ['emptied', () => Buffer.alloc(0)],
    ['of another run', () => gzipSync('{"kind":"created"}\n{"kind":"created"}\n')],
    ['gone', undefined],
  ])('damage of changes (%s) is reported, and none is skipped', async (_, spoil) => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(2))
    await run(world)
    const { changes } = world.snapshots
    const from = await changes.end()
    const [first] = world.customers
    if (Array.isArray(first?.orders)) first.orders.pop()
    const name = `${folder((await run(world)).snapshotId, 'changes')}/part-00000.ndjson.gz`
    const read = () => changes.read(from, {}, 10, createOperation({ clock: world.clock }))
    expect((await read())?.changes).toHaveLength(1)

    const blob = world.store.blobs.get(name)
    if (spoil === undefined) world.store.blobs.delete(name)
    else if (blob !== undefined) blob.body = spoil(blob.body)
    expect(await read().catch(error => error)).toMatchObject({ code: 'snapshot_corrupt', options: { target: name } })
  })

  test('damage of a manifest removes its run from the list, and does not show it as running', async () => {
    const { world, snapshotId } = await damaged(
      id => `${folder(id)}/_manifest.json`,
      () => Buffer.from('garbage'),
    )
    const manifest = world.store.blobs.get(`${folder(snapshotId)}/_manifest.json`)
    if (manifest !== undefined) manifest.metadata = {}
    const { status } = await world.newWorker()
    expect(await status.list(10, undefined)).toEqual({ runs: [], hasMore: false })
    expect(await status.get(snapshotId, createOperation()).catch(error => error)).toMatchObject({
      code: 'snapshot_corrupt',
    })
  })

  test('damage or loss of latest.json costs no comparison', async () => {
    for (const spoil of [(world: World) => world.store.blobs.delete('latest.json'), spoilLatest]) {
      const world = await createWorld(smallParts)
      world.customers.push(...makeCustomers(3))
      await run(world)
      await world.snapshots.start('request', [[customerId(1), 'Customer 1']], createOperation({ clock: world.clock }))
      await world.drain()
      spoil(world)
      const [first] = world.customers
      if (Array.isArray(first?.orders)) first.orders.pop()
      expect(await run(world)).toMatchObject({ changes: { created: 0, updated: 0, removed: 1 } })
    }
  })

  test('damage of an earlier run costs its comparisons, not the run', async () => {
    const { world } = await damaged(id => `${folder(id)}/part-00000.ndjson.gz`, flip)
    const [first] = world.customers
    if (Array.isArray(first?.orders)) first.orders.pop()
    await world.clock.advance(60_000)
    expect(await run(world)).toMatchObject({ status: 'succeeded', changes: { created: 0, updated: 0, removed: 0 } })
  })

  test('damage of latest.json, current.json or pace.json does not prevent the end of the next run', async () => {
    for (const name of ['latest.json', 'current.json', 'pace.json']) {
      const { world } = await damaged(
        () => name,
        () => Buffer.from('{"'),
      )
      await world.clock.advance(60_000)
      expect(await run(world)).toMatchObject({ status: 'succeeded' })
    }
  })

  test('damage of a plan ends the run as failed when it is overdue', async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(3))
    const id = await start(world)
    const [plan] = world.queue.splice(0)
    if (plan !== undefined)
      await world.snapshots.handle(plan.message, createOperation({ clock: world.clock, seconds: 1000 }))
    const blob = world.store.blobs.get(`${folder(id)}/_plan.json`)
    if (blob !== undefined) blob.body = Buffer.from('garbage')
    const fresh = await world.newWorker()
    await world.drain(fresh).catch(() => undefined)
    await world.clock.advance(61 * 60_000)
    const next = await fresh.start('timer', undefined, createOperation({ clock: world.clock, seconds: 1000 }))
    expect(next.started).toBe(true)
    expect(manifestOf(world, id)).toMatchObject({ status: 'failed' })
  })
})
