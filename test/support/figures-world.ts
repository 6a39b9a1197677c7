import type { Figures } from '../../shared/report/figures.ts'
import { gather } from '../../shared/report/gather.ts'
import { createReadRun } from '../../shared/snapshots/reading/read-run.ts'
import { createFindRuns } from '../../shared/snapshots/storage/find-runs.ts'
import { createReader } from '../../shared/snapshots/storage/reader.ts'
import { createOperation, type TestOperation } from './operations.ts'
import {
  createWorld,
  customerId,
  run,
  type UpstreamCustomer,
  type UpstreamOrder,
  type World,
} from './snapshot-world.ts'

export const dayMs = 86_400_000

export const order = (id: string, more: Partial<UpstreamOrder> = {}, quantity = 1): UpstreamOrder => ({
  id,
  creationDate: '2026-11-03T10:00:00Z',
  status: 'completed',
  billingCycle: 'monthly',
  currencyCode: 'EUR',
  lineItems: [{ lineItemNumber: 0, offerId: 'A:B:C', friendlyName: `Product ${id}`, quantity }],
  ...more,
})

export async function worldOf(...customers: UpstreamCustomer[]): Promise<World> {
  const world = await createWorld({ SNAPSHOT_CUSTOMERS_PER_PART: '2' })
  world.customers.push(...customers)
  return world
}

export const customer = (number: number, orders: UpstreamCustomer['orders']): UpstreamCustomer => ({
  id: customerId(number),
  name: `Customer ${number}`,
  orders,
})

export const ordersOf = (world: World, number: number): UpstreamOrder[] => {
  const found = world.customers.find(({ id }) => id === customerId(number))?.orders
  if (!Array.isArray(found)) throw new Error('The customer fails')
  return found
}

/** The figures of a run, computed by a new worker. */
export async function figuresOf(
  world: World,
  snapshotId: string,
  operation: TestOperation = createOperation({ clock: world.clock }),
): Promise<Figures> {
  const { store, clock } = world
  const reader = createReader(store)
  const runs = createFindRuns(store, reader)
  const finished = await runs.finished(snapshotId)
  if (finished === undefined) throw new Error('The run has no manifest')
  return gather({ store, reader, runs, readRun: createReadRun({ store, runs, reader }), clock }, finished, operation)
}

export const nextRun = async (world: World): Promise<Figures> => {
  await world.clock.advance(dayMs)
  return figuresOf(world, (await run(world)).snapshotId)
}
