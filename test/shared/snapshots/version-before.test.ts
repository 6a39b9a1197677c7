import { expect, test } from 'vitest'
import type { Current, PlanHead, PlannedCustomer } from '../../../shared/snapshots/storage/shapes.ts'
import { createOperation } from '../../support/operations.ts'
import {
  createWorld,
  customerId,
  folder,
  json,
  makeCustomers,
  manifestOf,
  run,
  smallParts,
  start,
  type World,
} from '../../support/snapshot-world.ts'

const withCustomers = async (count: number): Promise<World> => {
  const world = await createWorld(smallParts)
  world.customers.push(...makeCustomers(count))
  return world
}

/**
 * Converts a run's blobs to the form of the previous version: the plan with its head at the end, and metadata without
 * new members.
 */
function asBefore(world: World, id: string): void {
  const name = `${folder(id)}/_plan.json`
  const plan = world.store.blobs.get(name)
  if (plan === undefined) throw new Error('There is no plan')
  const { customers, parts, ...head } = json<PlanHead & { customers: PlannedCustomer[][] }>(world, name)
  let text = '{"customers":['
  const placed = parts.map((part, at) => {
    const members = JSON.stringify(customers[at])
    const offset = text.length + (at === 0 ? 0 : 2)
    text += `${at === 0 ? '' : ',\n'}${members}`
    return { ...part, offset, length: members.length }
  })
  text += '],'
  const { others: _, previous: __, incomplete: ___, following: ____, ...known } = head
  const tailoffset = String(text.length)
  text += JSON.stringify({ ...known, parts: placed }).slice(1)
  Object.assign(plan, { body: Buffer.from(text), metadata: { tailoffset, planned: '0', parts: String(parts.length) } })
  for (const [blob, { metadata }] of world.store.blobs) {
    if (blob.startsWith(folder(id))) for (const key of ['gone', 'firstid', 'previous']) delete metadata[key]
  }
}

test('runs of the previous version are compared, read back and listed', async () => {
  const world = await withCustomers(7)
  const before = await run(world)
  asBefore(world, before.snapshotId)
  const { ended: _, base: __, ...current } = json<Current>(world, 'current.json')
  await world.store.write('current.json', JSON.stringify(current))
  world.snapshots = await world.newWorker()
  const read = await world.snapshots.readBack(customerId(5), undefined, createOperation())
  expect(read).toMatchObject({ snapshotId: before.snapshotId })

  const [first] = world.customers
  if (Array.isArray(first?.orders)) first.orders.pop()
  world.customers.pop()
  const next = await run(world)
  expect(next).toMatchObject({ status: 'succeeded', changes: { created: 0, updated: 0, removed: 3 } })
  expect((await world.snapshots.status.list(10, undefined)).runs).toHaveLength(2)
})

test('a run that the previous version planned is read by this version', async () => {
  const world = await withCustomers(7)
  const id = await start(world)
  const [watch] = world.queue.splice(0)
  if (watch !== undefined)
    await world.snapshots.handle(watch.message, createOperation({ clock: world.clock, seconds: 1680 }))
  asBefore(world, id)
  const { nonce, trigger, startedAt } = json<Current>(world, 'current.json')
  await world.store.write('current.json', JSON.stringify({ snapshotId: id, nonce, trigger, startedAt }))
  world.queue.splice(0)
  const worker = await world.newWorker()
  for (const part of [0, 1, 2]) {
    const message = { kind: 'part', snapshotId: id, part, offset: 0, length: 0, handedBack: 0 }
    await worker.handle(message, createOperation({ clock: world.clock, seconds: 1680 }))
  }
  expect(manifestOf(world, id)).toMatchObject({ status: 'succeeded', customers: { planned: 7, read: 7 } })
})

test('a run that the previous version started is planned by its message', async () => {
  const world = await withCustomers(4)
  const id = await start(world)
  world.queue.splice(0)
  const { nonce } = json<Current>(world, 'current.json')
  const message = { kind: 'plan', snapshotId: id, nonce, sentAt: world.clock.now() }
  await world.snapshots.handle(message, createOperation({ clock: world.clock, seconds: 1680 }))
  await world.drain()
  expect(manifestOf(world, id)).toMatchObject({ status: 'succeeded', customers: { planned: 4, read: 4 } })
})
