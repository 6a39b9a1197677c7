import { describe, expect, test } from 'vitest'
import { isAppError } from '../../../shared/errors.ts'
import type { Current, Index } from '../../../shared/snapshots/storage/shapes.ts'
import { createMemoryStore } from '../../support/memory-store.ts'
import { createOperation } from '../../support/operations.ts'
import {
  createWorld,
  customerId,
  folder,
  json,
  makeCustomers,
  manifestOf,
  rowsOf,
  run,
  smallParts,
  start,
  type World,
} from '../../support/snapshot-world.ts'

/** Starts a run that a manifest ends at once. */
async function startAndFail(world: World): Promise<Current> {
  await start(world)
  const current = json<Current>(world, 'current.json')
  world.queue.splice(0)
  await world.store.write(`${folder(current.snapshotId)}/_manifest.json`, '{}', { metadata: { status: 'failed' } })
  return current
}

const failure = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => undefined,
    error => error,
  )
  return isAppError(error) ? error.code : error
}

describe('a run', () => {
  test('a run reads every customer once, in parts, and moves latest.json', async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(8))
    const manifest = await run(world)

    expect(manifest).toMatchObject({ status: 'succeeded', customers: { planned: 8, read: 8, failed: 0 }, orders: 16 })
    expect(manifest.parts.map(({ name }) => name)).toEqual([
      'part-00000.ndjson.gz',
      'part-00001.ndjson.gz',
      'part-00002.ndjson.gz',
    ])
    expect(await rowsOf(world, `${folder(manifest.snapshotId)}/part-`)).toHaveLength(16)
    expect(json(world, 'latest.json')).toMatchObject({ snapshotId: manifest.snapshotId })
    expect(world.requests.filter(({ path }) => path.endsWith('/orders'))).toHaveLength(8)
  })

  test('a run within a second of another one waits for the next second', async () => {
    const world = await createWorld()
    const started: string[] = []
    for (let times = 0; times < 3; times++) {
      const { snapshotId, startedAt } = await startAndFail(world)
      expect(Date.parse(startedAt)).toBe(world.clock.now())
      expect(startedAt.replace(/\.\d+Z$/, 'Z').replace(/[-:]/g, '')).toBe(snapshotId)
      started.push(startedAt)
    }
    expect(new Set(started).size).toBe(3)
  })

  test('a run has moved latest.json when its end is visible', async () => {
    const world = await createWorld()
    world.customers.push(...makeCustomers(1))
    const { snapshotId } = await run(world)
    // The state after a crash directly after the write of the manifest.
    const { ended: _, ...current } = json<Current>(world, 'current.json')
    await world.store.write('current.json', JSON.stringify(current))
    world.store.blobs.delete('latest.json')
    world.store.blobs.delete(`${folder(snapshotId)}/_plan.json`)
    expect(await (await world.newWorker()).status.get(snapshotId, createOperation())).toHaveProperty('manifest')
    expect(json(world, 'latest.json')).toMatchObject({ snapshotId })
  })

  test('a run gives equal bytes for equal rows', async () => {
    const bytes = await Promise.all(
      [1, 2].map(async () => {
        const world = await createWorld(smallParts)
        world.customers.push(...makeCustomers(4))
        const { snapshotId } = await run(world)
        return world.store.blobs.get(`${folder(snapshotId)}/part-00000.ndjson.gz`)?.body
      }),
    )
    expect(bytes[0]?.equals(bytes[1] ?? Buffer.alloc(0))).toBe(true)
  })

  test('a run writes an empty gzip member of 20 bytes for a part or changes without lines', async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(1, 0))
    const { snapshotId, bytes } = await run(world)
    expect(bytes).toBe(20)
    expect(world.store.blobs.get(`${folder(snapshotId, 'changes')}/part-00000.ndjson.gz`)?.body.length).toBe(20)
    expect(json<Index>(world, `${folder(snapshotId)}/_index-00000.json`).customers[0]).toMatchObject({
      orders: 0,
      length: 0,
    })
  })

  test('a run records refused and failing customers with their reason, and continues', async () => {
    const world = await createWorld({ ...smallParts, REQUEST_DEADLINE_SECONDS: '20' })
    world.customers.push(...makeCustomers(6))
    const faults = [
      { status: 403, code: '20002' },
      { status: 404, code: '60003' },
      { status: 500, code: '800003' },
      'network' as const,
    ]
    for (const [at, orders] of faults.entries()) Object.assign(world.customers[at] ?? {}, { orders })
    const manifest = await run(world)

    expect(manifest).toMatchObject({ status: 'completedWithErrors', customers: { planned: 6, read: 2, failed: 4 } })
    expect(manifest.failures.map(({ code }) => code)).toEqual([
      'no_customer_relationship',
      'customer_not_found',
      'partner_center_unavailable',
      'partner_center_unavailable',
    ])
    expect(manifest.failures[0]).toMatchObject({
      customerTenantId: customerId(1),
      customerName: 'Customer 1',
      message: expect.any(String),
    })
  })

  test('a run waits for a throttled customer within its deadline', async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(3))
    const [first] = world.customers
    const orders = first?.orders
    Object.assign(first ?? {}, { orders: { status: 429, headers: { 'retry-after': '30' } } })
    const id = await start(world)
    world.store.before = (operation, name) => {
      if (operation === 'request' && name.includes(customerId(3)) && world.requests.length > 3)
        Object.assign(first ?? {}, { orders })
    }
    Object.defineProperty(first, 'orders', {
      get: () =>
        world.requests.filter(({ path }) => path.includes(customerId(1))).length > 1
          ? orders
          : { status: 429, headers: { 'retry-after': '30' } },
    })
    await world.drain()

    expect(manifestOf(world, id)).toMatchObject({ status: 'succeeded' })
    const times = world.requests.filter(({ path }) => path.includes(customerId(1))).map(({ at }) => at)
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(30_000)
  })

  test('a run requeues a part with a longer wait, and records the customer as failed if throttling continues', async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(4))
    Object.assign(world.customers[0] ?? {}, { orders: { status: 429, headers: { 'retry-after': '600' } } })
    const manifest = await run(world)

    expect(world.poison).toEqual([])
    expect(manifest).toMatchObject({ status: 'completedWithErrors', customers: { read: 3, failed: 1 } })
    expect(manifest.failures[0]?.code).toBe('partner_center_throttled')
    const times = world.requests.filter(({ path }) => path.includes(customerId(1))).map(({ at }) => at)
    for (const [at, time] of times.slice(1).entries()) expect(time - (times[at] ?? 0)).toBeGreaterThanOrEqual(600_000)
    expect(times.length).toBeLessThanOrEqual(6)
  })

  test.each([
    [{ status: 401, code: '900421' }, 'mfa_required'],
    [{ status: 401, code: '900420' }, 'wrong_audience'],
    [{ status: 403, code: '10001' }, 'mfa_required'],
  ])('a run stops at once when the credential fails: %j', async (orders, code) => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(30))
    for (const customer of world.customers.slice(4)) customer.orders = orders
    const manifest = await run(world)

    expect(manifest).toMatchObject({ status: 'failed', error: { code }, customers: { planned: 30, read: 3 } })
    expect(world.requests.filter(({ path }) => path.endsWith('/orders')).length).toBeLessThan(20)
    expect(world.store.blobs.has('latest.json')).toBe(false)
    expect(await failure(world.snapshots.status.get(manifest.snapshotId, createOperation()))).toBe(code)
    expect(await failure(world.snapshots.readBack(customerId(1), undefined, createOperation()))).toBe(
      'snapshot_not_found',
    )
  })

  test('a run without a successful reading has failed', async () => {
    for (const count of [0, 2]) {
      const world = await createWorld(smallParts)
      world.customers.push(...makeCustomers(count))
      for (const customer of world.customers) customer.orders = { status: 403, code: '20002' }
      const manifest = await run(world)
      expect(manifest).toMatchObject({ status: 'failed', error: { code: 'snapshot_failed' } })
      expect(await failure(world.snapshots.status.get(manifest.snapshotId, createOperation()))).toBe('snapshot_failed')
    }
  })

  test('a run records the customers of a part that fails five times, and ends', async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(7))
    world.store.before = (operation, name) => {
      if (operation === 'request' && name.includes(customerId(5)))
        throw Object.assign(new Error('crash'), { name: 'Crash' })
    }
    const id = await start(world)
    // A crash of the worker, not an upstream fault. The part itself fails.
    const { take } = { take: world.store.stage }
    world.store.stage = async (name, blockId, body) => {
      if (name.includes('part-00001')) world.store.before = () => undefined
      if (name.includes('part-00001') && world.poison.length === 0) throw new Error('storage fails')
      return take(name, blockId, body)
    }
    await world.drain()

    expect(world.poison).toMatchObject([{ kind: 'part', part: 1 }])
    expect(manifestOf(world, id)).toMatchObject({
      status: 'completedWithErrors',
      customers: { planned: 7, read: 4, failed: 3 },
    })
  })

  test('a run that is overdue is ended by the next start', async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(7))
    const id = await start(world)
    const plan = world.queue.shift()
    if (plan !== undefined)
      await world.snapshots.handle(plan.message, createOperation({ clock: world.clock, seconds: 1000 }))
    const lost = world.queue.splice(0)
    expect((await world.snapshots.start('timer', undefined, createOperation({ clock: world.clock }))).started).toBe(
      false,
    )
    await world.clock.advance(61 * 60_000)
    const next = await world.snapshots.start('timer', undefined, createOperation({ clock: world.clock, seconds: 1000 }))

    expect(next.started).toBe(true)
    expect(manifestOf(world, id)).toMatchObject({
      status: 'failed',
      customers: { planned: 7, read: 0, failed: 7 },
      error: { code: 'snapshot_failed' },
    })
    const before = new Map([...world.store.blobs].map(([name, { etag }]) => [name, etag]))
    // Late workers lose.
    for (const { message } of lost)
      await world.snapshots.handle(message, createOperation({ clock: world.clock, seconds: 1000 }))
    for (const [name, etag] of before)
      if (name.startsWith(folder(id))) expect(world.store.blobs.get(name)?.etag).toBe(etag)
    await world.drain()
    expect(manifestOf(world, next.snapshotId)).toMatchObject({ status: 'succeeded' })
  })
})

test('the store in memory refuses the same calls as the service', async () => {
  const store = createMemoryStore()
  expect(await store.write('a', '1', { absent: true })).not.toBe(false)
  expect(await store.write('a', '2', { absent: true })).toBe(false)
  expect(await store.write('a', '2', { etag: '"other"' })).toBe(false)
  expect(await store.commit('b', ['never-staged'])).toBe(false)
})
