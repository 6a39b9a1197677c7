import { describe, expect, test } from 'vitest'
import type { Index } from '../../../shared/snapshots/storage/shapes.ts'
import { createOperation } from '../../support/operations.ts'
import {
  createWorld,
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

describe('after a crash', () => {
  /** The blobs that must be equal however often the worker dies. */
  const outcome = (world: World, id: string) =>
    [...world.store.blobs]
      .filter(([name]) => name.startsWith(folder(id)) || name.startsWith(folder(id, 'changes')))
      .filter(([name]) => !/_(manifest\.json|report\.html)$/.test(name))
      .map(([name, { body }]) => [name, name.includes('_plan') ? '' : body.toString('hex')])
      .sort()

  const secondRun = async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(4))
    await run(world)
    const [first, second] = world.customers
    if (Array.isArray(first?.orders)) first.orders.push({ id: 'new', creationDate: '2026-02-02T00:00:00Z' })
    if (Array.isArray(second?.orders)) second.orders.shift()
    world.clock.advance(60_000)
    return world
  }

  test('after a crash between any two operations, the run resumes and has the same result', async () => {
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

  test('after a crash of one of two workers with the same parts, index and part still match', async () => {
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
