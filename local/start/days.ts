import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { createListedCases, type ListedCases } from '../simulator/listed-cases.ts'
import { createLiveOrders, type LiveOrders } from '../simulator/live-orders.ts'
import type { Simulator } from '../simulator/simulator.ts'
import { hasSnapshot, takeYesterdaysSnapshot, yesterdaysRun } from './yesterday.ts'

/** In the list of customers from the start: a customer that has left, and one whose orders cannot be read today. */
const listedAtFirst = [20002, 500]

/** Changes between yesterday's snapshot and now. */
const changesSinceYesterday = 12

/** The rate if changes are switched on later, on the page. */
const usualSeconds = 20

type Options = {
  folder: string
  storage: string
  container: string
  simulator: Simulator
  env: Readonly<Record<string, string | undefined>>
  options: { changeSeconds: number | undefined }
}

/**
 * What was there before today: yesterday's snapshot, taken by the app itself while nothing had changed and nobody failed,
 * and the orders that have changed since. The changes are kept in the data folder, and a later start makes them again, so
 * that no order is lost with the simulator.
 */
export async function prepareDays({
  folder,
  storage,
  container,
  simulator,
  env,
  options,
}: Options): Promise<{ cases: ListedCases; orders: LiveOrders }> {
  const file = join(folder, 'order-changes.json')
  const orders = createLiveOrders({
    customers: [...simulator.partnerCenter.customers],
    everySeconds: options.changeSeconds ?? usualSeconds,
    activity: simulator.partnerCenter.activity,
    onChange: () => save(file, orders),
  })
  const cases = createListedCases(simulator.partnerCenter, listedAtFirst)
  if (await hasSnapshot(storage, container)) {
    for (const at of await load(file)) orders.change(at)
    return { cases, orders }
  }
  cases.setFailing(false)
  console.log('Taking yesterday’s snapshot …')
  await takeYesterdaysSnapshot(env)
  cases.setFailing(true)
  const from = yesterdaysRun()
  const step = (Date.now() - from) / (changesSinceYesterday + 1)
  for (let number = 1; number <= changesSinceYesterday; number++) orders.change(Math.round(from + number * step))
  await save(file, orders)
  return { cases, orders }
}

const timesSchema = z.array(z.number())

/** When each change was made; which they were depends on their number alone. */
async function load(file: string): Promise<number[]> {
  try {
    return timesSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return []
  }
}

async function save(file: string, { changes }: LiveOrders): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify(changes.map(({ at }) => at)))
  await rename(`${file}.new`, file)
}
