import type { FeedPosition } from '../../shared/snapshots/changes/changes-feed.ts'
import { createOperation, type TestOperation } from './operations.ts'
import { createWorld, customerId, json, makeCustomers, type World } from './snapshot-world.ts'

export const minute = 60_000

export const worldOf = async (customers = 5, settings: Record<string, string> = {}): Promise<World> => {
  const world = await createWorld({ SNAPSHOT_CUSTOMERS_PER_PART: '2', ...settings })
  world.customers.push(...makeCustomers(customers))
  return world
}

/** One tick of following, without the run that it starts. */
export async function look(world: World, worker = world.snapshots): Promise<TestOperation> {
  const operation = createOperation({ clock: world.clock, seconds: 540 })
  await worker.follow(operation)
  return operation
}

/** Ten minutes later: a tick of following, and the run that it starts. */
export async function tick(world: World): Promise<TestOperation> {
  await world.clock.advance(10 * minute)
  const operation = await look(world)
  await world.drain()
  return operation
}

export type Told = { id: string; kind: string; customerTenantId: string; orderId: string; previousSnapshotId?: string }

export async function poll(world: World, from: FeedPosition): Promise<{ told: Told[]; next: FeedPosition }> {
  const page = await world.snapshots.changes.read(from, {}, 1000, createOperation({ clock: world.clock }))
  if (page === undefined) throw new Error('The position is no longer kept')
  return { told: page.changes.map(line => JSON.parse(line.toString()) as Told), next: page.next }
}

export const positionOf = (world: World) => json<{ position: string }>(world, 'following.json').position
export const blobsBelow = (world: World, prefix: string) =>
  [...world.store.blobs.keys()].filter(name => name.startsWith(prefix))
export const readsOf = (world: World, customer: number) =>
  world.requests.filter(({ path }) => path === `/v1/customers/${customerId(customer)}/orders`).length
