import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { createListedCases, type ListedCases } from '../simulator/listed-cases.ts'
import { createLiveOrders, type LiveOrders } from '../simulator/live-orders.ts'
import type { Simulator } from '../simulator/simulator.ts'
import { hasSnapshot, takeYesterdaysSnapshot, yesterdaysRun } from './yesterday.ts'

/** The cases in the initial list of customers: one that has left, and one whose orders cannot be read today. */
const listedAtFirst = [20002, 500]

/** The number of changes between yesterday's snapshot and now. */
const changesSinceYesterday = 12

/** The rate if changes are switched on later on the page. */
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
 * Prepares the history before today: yesterday's snapshot, which the app takes before anything changes or fails, and
 * the changes since then. The times of the changes are kept in the data folder. A later start repeats the changes, so
 * that the simulator has the same orders again.
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

/** The times of the changes. The changes themselves depend only on their number. */
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
