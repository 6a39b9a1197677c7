import { describe, expect, test } from 'vitest'
import { isAppError } from '../../../shared/errors.ts'
import { decodeLines } from '../../../shared/snapshots/storage/codec.ts'
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
  run,
  start,
  type World,
} from '../../support/snapshot-world.ts'

async function rowsOf(world: World, prefix: string): Promise<Record<string, unknown>[]> {
  const names = [...world.store.blobs.keys()].filter(name => name.startsWith(prefix) && name.endsWith('.gz')).sort()
  const lines = await Promise.all(names.map(name => decodeLines(world.store.blobs.get(name)?.body ?? Buffer.alloc(0))))
  return lines.flat().map(line => JSON.parse(line.toString()) as Record<string, unknown>)
}

/** Starts a run that a manifest ends at once, without any time going by. */
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

const small = { SNAPSHOT_CUSTOMERS_PER_PART: '3' }

describe('a run', () => {
  test('reads every customer once, in parts, and points latest.json at itself', async () => {
    const world = await createWorld(small)
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

  test('that follows another within a second waits for the next, which names it', async () => {
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

  test('has moved latest.json on when it is told to have ended', async () => {
    const world = await createWorld()
    world.customers.push(...makeCustomers(1))
    const { snapshotId } = await run(world)
    // As if whoever wrote the manifest had died right after it.
    const { ended: _, ...current } = json<Current>(world, 'current.json')
    await world.store.write('current.json', JSON.stringify(current))
    world.store.blobs.delete('latest.json')
    world.store.blobs.delete(`${folder(snapshotId)}/_plan.json`)
    expect(await (await world.newWorker()).status.get(snapshotId, createOperation())).toHaveProperty('manifest')
    expect(json(world, 'latest.json')).toMatchObject({ snapshotId })
  })

  test('gives equal bytes for equal rows', async () => {
    const bytes = await Promise.all(
      [1, 2].map(async () => {
        const world = await createWorld(small)
        world.customers.push(...makeCustomers(4))
        const { snapshotId } = await run(world)
        return world.store.blobs.get(`${folder(snapshotId)}/part-00000.ndjson.gz`)?.body
      }),
    )
    expect(bytes[0]?.equals(bytes[1] ?? Buffer.alloc(0))).toBe(true)
  })

  test('writes an empty gzip member of 20 bytes where a part or its changes have no line', async () => {
    const world = await createWorld(small)
    world.customers.push(...makeCustomers(1, 0))
    const { snapshotId, bytes } = await run(world)
    expect(bytes).toBe(20)
    expect(world.store.blobs.get(`${folder(snapshotId, 'changes')}/part-00000.ndjson.gz`)?.body.length).toBe(20)
    expect(json<Index>(world, `${folder(snapshotId)}/_index-00000.json`).customers[0]).toMatchObject({
      orders: 0,
      length: 0,
    })
  })

  test('records refused and failing customers with their reason, and goes on', async () => {
    const world = await createWorld({ ...small, REQUEST_DEADLINE_SECONDS: '20' })
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

  test('waits out a throttled customer when told to wait less than its time', async () => {
    const world = await createWorld(small)
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

  test('hands a part back that is told to wait longer, and counts the customer as failed when that does not end', async () => {
    const world = await createWorld(small)
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
  ])('stops at once when the credential fails: %j', async (orders, code) => {
    const world = await createWorld(small)
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

  test('that reads nobody has failed', async () => {
    for (const count of [0, 2]) {
      const world = await createWorld(small)
      world.customers.push(...makeCustomers(count))
      for (const customer of world.customers) customer.orders = { status: 403, code: '20002' }
      const manifest = await run(world)
      expect(manifest).toMatchObject({ status: 'failed', error: { code: 'snapshot_failed' } })
      expect(await failure(world.snapshots.status.get(manifest.snapshotId, createOperation()))).toBe('snapshot_failed')
    }
  })

  test('ends a part that fails five times with its customers recorded, and finishes', async () => {
    const world = await createWorld(small)
    world.customers.push(...makeCustomers(7))
    world.store.before = (operation, name) => {
      if (operation === 'request' && name.includes(customerId(5)))
        throw Object.assign(new Error('crash'), { name: 'Crash' })
    }
    const id = await start(world)
    // A crash of the worker, not an upstream fault: the part itself fails.
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

  test('that is overdue is ended by the next start, which takes its place', async () => {
    const world = await createWorld(small)
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

describe('at any crash', () => {
  /** Blobs that have to come out the same, however often the worker dies. */
  const outcome = (world: World, id: string) =>
    [...world.store.blobs]
      .filter(([name]) => name.startsWith(folder(id)) || name.startsWith(folder(id, 'changes')))
      .filter(([name]) => !/_(manifest\.json|report\.html)$/.test(name))
      .map(([name, { body }]) => [name, name.includes('_plan') ? '' : body.toString('hex')])
      .sort()

  const secondRun = async () => {
    const world = await createWorld(small)
    world.customers.push(...makeCustomers(4))
    await run(world)
    const [first, second] = world.customers
    if (Array.isArray(first?.orders)) first.orders.push({ id: 'new', creationDate: '2026-02-02T00:00:00Z' })
    if (Array.isArray(second?.orders)) second.orders.shift()
    world.clock.advance(60_000)
    return world
  }

  test('between any two operations, the run resumes and ends as if nothing had happened', async () => {
    const calm = await secondRun()
    const calmManifest = await run(calm)
    expect(calmManifest.changes).toEqual({ created: 1, updated: 0, removed: 1 })
    const count = (rows: Record<string, unknown>[]) =>
      rows.map(({ customerTenantId, order }) => `${customerTenantId} ${JSON.stringify(order)}`).sort()
    const calmRows = count(await rowsOf(calm, `${folder(calmManifest.snapshotId)}/part-`))

    let points = 0
    for (let crashAt = 1; ; crashAt++) {
      const world = await secondRun()
      let operations = 0
      let crashed = false
      let dead = false
      world.store.before = () => {
        if (!crashed && ++operations === crashAt) crashed = dead = true
        if (dead) throw new Error('the worker has died')
      }
      const revive = async <T>(work: () => Promise<T>): Promise<T> => {
        dead = false
        return work()
      }
      const id = await start(world).catch(() => revive(() => start(world)))
      const { handle, ...worker } = await world.newWorker()
      await world.drain({ ...worker, handle: (message, operation) => revive(() => handle(message, operation)) })
      if (!crashed) break
      points++
      const manifest = manifestOf(world, id)
      expect(manifest, `crash at operation ${crashAt}`).toMatchObject({
        status: 'succeeded',
        customers: calmManifest.customers,
        orders: calmManifest.orders,
        changes: calmManifest.changes,
      })
      expect(count(await rowsOf(world, `${folder(id)}/part-`))).toEqual(calmRows)
      expect(await rowsOf(world, folder(id, 'changes'))).toHaveLength(2)
      expect(json(world, 'latest.json')).toMatchObject({ snapshotId: id })
      expect(world.store.blobs.has(`${folder(id)}/_report.html`), `report after a crash at ${crashAt}`).toBe(true)
    }
    expect(points).toBeGreaterThan(40)
  })

  test('of one of two workers that take the same parts at once, index and part still fit each other', async () => {
    for (let round = 0; round < 10; round++) {
      const world = await secondRun()
      const id = await start(world)
      const [plan] = world.queue.splice(0)
      if (plan !== undefined)
        await world.snapshots.handle(plan.message, createOperation({ clock: world.clock, seconds: 1000 }))
      const messages = world.queue.splice(0).map(({ message }) => message)
      const workers = await Promise.all([1, 2, 3].map(() => world.newWorker()))
      await Promise.all(
        workers.flatMap(worker =>
          messages.map(message => worker.handle(message, createOperation({ clock: world.clock, seconds: 1000 }))),
        ),
      )

      expect(manifestOf(world, id)).toMatchObject({
        status: 'succeeded',
        customers: { planned: 4, read: 4, failed: 0 },
      })
      for (const { customers } of [0, 1].map(part => json<Index>(world, `${folder(id)}/_index-0000${part}.json`))) {
        for (const { customerTenantId } of customers) {
          const { orders } = await (await world.newWorker()).readBack(customerTenantId, undefined, createOperation())
          expect(orders.length).toBeGreaterThan(0)
        }
      }
      expect(outcome(world, id).length).toBe(7)
    }
  })
})

test('a store in memory refuses what the service refuses', async () => {
  const store = createMemoryStore()
  expect(await store.write('a', '1', { absent: true })).not.toBe(false)
  expect(await store.write('a', '2', { absent: true })).toBe(false)
  expect(await store.write('a', '2', { etag: '"other"' })).toBe(false)
  expect(await store.commit('b', ['never-staged'])).toBe(false)
})
