import { createOperation } from '../test/support/operations.ts'
import { createWorld, makeCustomers, placeOrder, run, type World } from '../test/support/snapshot-world.ts'
import type { Figure } from './report.ts'

const minuteMs = 60_000
const looksPerDay = 144

/** The share of customers with an order operation on a day. */
const dailyActivity = 0.01

/**
 * Ticks of one day, every ten minutes, with orders spread over it. Returns the requests of the ticks and their runs.
 */
async function followDay(world: World, customers: number): Promise<number> {
  const before = world.requests.length
  const orders = Math.round(customers * dailyActivity)
  let placed = 0
  for (let look = 1; look <= looksPerDay; look++) {
    while (placed < (look / looksPerDay) * orders)
      placeOrder(world, 1 + Math.floor((placed++ / orders) * customers), `new-${placed}`)
    await world.clock.advance(10 * minuteMs)
    await world.snapshots.follow(createOperation({ clock: world.clock, seconds: 540 }))
    await world.drain()
  }
  return world.requests.length - before
}

/** The requests of one day, counted in the code of the app with a clock that jumps. */
async function figuresFor(customers: number): Promise<Figure[]> {
  const world = await createWorld()
  world.customers.push(...makeCustomers(customers, 1))
  await run(world)
  const beforeSweep = world.requests.length
  await run(world)
  const sweep = world.requests.length - beforeSweep
  const looks = await followDay(world, customers)
  const from = await world.snapshots.changes.end()
  await run(world)
  const missed = await world.snapshots.changes.read(from, {}, 1000, createOperation({ clock: world.clock }))
  if (missed === undefined || missed.changes.length > 0)
    throw new Error('The snapshot has found what following should have told')
  const hourly = 24 * sweep
  const baseline = `a sweep of all customers every hour: ${hourly} calls a day`
  const what = `calls a day for ${customers} customers of whom 1 % order something, following every 10 minutes`
  return [
    { what, baseline, ratio: looks / hourly, target: { atMost: 0.02 }, values: `${looks} calls` },
    {
      what: `${what} and one daily snapshot`,
      baseline,
      ratio: (looks + sweep) / hourly,
      target: { atMost: 0.06 },
      values: `${looks + sweep} calls`,
    },
  ]
}

export const measure = async (): Promise<Figure[]> => [...(await figuresFor(1000)), ...(await figuresFor(10_000))]
