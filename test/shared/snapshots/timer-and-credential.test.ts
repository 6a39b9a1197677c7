import { describe, expect, test } from 'vitest'
import { AppError } from '../../../shared/errors.ts'
import type { Current, Index } from '../../../shared/snapshots/storage/shapes.ts'
import {
  createLongOperation,
  createWorld,
  customerId,
  folder,
  json,
  makeCustomers,
  manifestOf,
  planRun,
  run,
  smallParts,
  start,
  storageDown,
} from '../../support/snapshot-world.ts'

describe('the timer', () => {
  test('the timer repeats its start while storage is down', async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(2))
    const until = world.clock.now() + 10 * 60_000
    world.store.before = () => {
      if (world.clock.now() < until) throw storageDown()
    }
    await world.snapshots.startByTimer(createLongOperation(world))
    await world.drain()
    expect(manifestOf(world, json<Current>(world, 'current.json').snapshotId)).toMatchObject({
      status: 'succeeded',
      trigger: 'timer',
    })
  })

  test('the timer takes its snapshot after a run over some customers has ended', async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(4))
    const operation = createLongOperation(world)
    const { snapshotId } = await world.snapshots.start('request', [[customerId(1), 'Customer 1']], operation)
    await world.snapshots.startByTimer(operation)
    await world.snapshots.startByTimer(operation)
    await world.drain()
    const { runs } = await world.snapshots.status.list(10, undefined)
    expect(runs.map(({ trigger, customers }) => [trigger, customers.read])).toEqual([
      ['timer', 4],
      ['request', 1],
    ])
    expect(runs[1]?.snapshotId).toBe(snapshotId)
  })

  test('the timer takes no snapshot after a successful run over all customers at its time', async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(4))
    await start(world)
    await world.snapshots.startByTimer(createLongOperation(world))
    await world.drain()
    expect((await world.snapshots.status.list(10, undefined)).runs).toHaveLength(1)
  })
})

describe('a credential', () => {
  test.each([30, 450])(
    'a credential that is refused stops the run at once, at %i requests a minute',
    async requestsPerMinute => {
      const world = await createWorld({ ...smallParts, PARTNER_CENTER_REQUESTS_PER_MINUTE: String(requestsPerMinute) })
      world.customers.push(...makeCustomers(30))
      for (const customer of world.customers) customer.orders = { status: 401, code: '900421' }
      const startedAt = world.clock.now()
      const manifest = await run(world)
      expect(manifest).toMatchObject({ status: 'failed', error: { code: 'mfa_required' } })
      expect(Date.parse(manifest.finishedAt ?? '') - startedAt).toBeLessThan(60_000)
    },
  )

  test('a refused credential is detected even if requests wait for most of a customer’s time', async () => {
    const world = await createWorld({
      ...smallParts,
      PARTNER_CENTER_REQUESTS_PER_MINUTE: '2',
      REQUEST_DEADLINE_SECONDS: '20',
    })
    world.customers.push(...makeCustomers(3))
    for (const customer of world.customers) customer.orders = { status: 401, code: '900421' }
    expect(await run(world)).toMatchObject({ status: 'failed', error: { code: 'mfa_required' } })
  })

  test('a credential that one customer refuses is that customer’s failure', async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(7))
    Object.assign(world.customers[3] ?? {}, { orders: { status: 401 } })
    const manifest = await run(world)
    expect(manifest).toMatchObject({ status: 'completedWithErrors', customers: { planned: 7, read: 6, failed: 1 } })
    expect(manifest.failures[0]).toMatchObject({ customerTenantId: customerId(4), code: 'credential_rejected' })
  })

  test('a credential that the customer list refuses, too, stops the run', async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(7))
    const id = await start(world)
    await planRun(world)
    world.list = { status: 401 }
    for (const customer of world.customers) customer.orders = { status: 401 }
    await world.drain()
    expect(manifestOf(world, id)).toMatchObject({ status: 'failed', error: { code: 'credential_rejected' } })
  })
})

describe('the customers of SNAPSHOT_CUSTOMERS', () => {
  const configured = { ...smallParts, SNAPSHOT_CUSTOMERS: [1, 2, 9].map(customerId).join() }

  test('the customers of SNAPSHOT_CUSTOMERS are read even if the profile of one cannot be read', async () => {
    const world = await createWorld(configured)
    world.customers.push(...makeCustomers(3))
    world.store.before = (operation, name) => {
      if (operation === 'request' && name.endsWith(customerId(1)))
        throw new AppError('partner_center_unavailable', 'no')
    }
    const { snapshotId, ...manifest } = await run(world)
    expect(manifest).toMatchObject({ status: 'completedWithErrors', customers: { planned: 3, read: 2, failed: 1 } })
    const { customers } = json<Index>(world, `${folder(snapshotId)}/_index-00000.json`)
    expect(customers.map(({ customerName }) => customerName)).toEqual(['', 'Customer 2', ''])
  })
})
