import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root } from '../../local/build/bundle.ts'
import { sampleOrder } from '../../local/simulator/sample-data.ts'
import { type RunningApp, startApp } from '../support/running-app.ts'
import { copyContainer, openContainer, takeSnapshot } from '../support/snapshots.ts'

let app: RunningApp
let folder: string

beforeAll(async () => {
  app = await startApp({
    simulator: { customers: 120 },
    settings: { PARTNER_CENTER_REQUESTS_PER_MINUTE: '60000', SNAPSHOT_CUSTOMERS_PER_PART: '40' },
  })
  folder = await mkdtemp(join(tmpdir(), 'duckdb-'))
  await takeSnapshot(app.api)
  const [, first, second] = app.simulator.partnerCenter.customers
  first?.orders.push(sampleOrder(first.id, 500), sampleOrder(first.id, 501))
  second?.orders.splice(0, 1)
  await takeSnapshot(app.api)
  await copyContainer(openContainer(app.storage), folder)
})
afterAll(async () => {
  await app.stop()
  await rm(folder, { recursive: true })
})

async function queriesOfThePage(): Promise<string[]> {
  const page = await readFile(`${root}docs/snapshots.md`, 'utf8')
  return [...page.matchAll(/```sql\n([\s\S]+?)```/g)].map(([, query = '']) => query)
}

/** Runs the queries of the page like a reader: in a folder with the files of the container. */
async function runQueries(queries: string[]): Promise<Record<string, unknown>[][]> {
  const connection = await (await DuckDBInstance.create()).connect()
  await connection.run(`SET file_search_path = '${folder}'`)
  const results: Record<string, unknown>[][] = []
  for (const query of queries) results.push((await connection.runAndReadAll(query)).getRowObjectsJson())
  return results
}

test('the first query of docs/snapshots.md opens only the newest run', async () => {
  const newest = (JSON.parse(await readFile(join(folder, 'latest.json'), 'utf8')) as { path: string }).path
  const others = (await readdir(folder, { recursive: true })).filter(
    name => /^snapshots.*part-/.test(name) && !name.startsWith(newest),
  )
  expect(others.length).toBeGreaterThan(0)
  const whole = await Promise.all(others.map(name => readFile(join(folder, name))))
  await Promise.all(others.map(name => writeFile(join(folder, name), 'no gzip')))
  try {
    const [first = ''] = await queriesOfThePage()
    expect((await runQueries([first]))[0]?.length).toBeGreaterThan(0)
  } finally {
    await Promise.all(others.map((name, at) => writeFile(join(folder, name), whole[at] ?? '')))
  }
})

test('the queries of docs/snapshots.md return the counts of Partner Center', async () => {
  const [byCustomer = [], changes = []] = await runQueries(await queriesOfThePage())
  const { customers } = app.simulator.partnerCenter

  const orders = new Map<string, { orders: number; completed: number }>()
  for (const { companyName, orders: list } of customers) {
    if (list.length === 0) continue
    const sum = orders.get(companyName) ?? { orders: 0, completed: 0 }
    orders.set(companyName, {
      orders: sum.orders + list.length,
      completed: sum.completed + list.filter(({ status }) => status === 'completed').length,
    })
  }
  expect(
    byCustomer.map(row => [row.customerName, { orders: Number(row.orders), completed: Number(row.completed) }]).sort(),
  ).toEqual([...orders].sort())
  expect(changes.map(({ kind, orders }) => [kind, Number(orders)])).toEqual([
    ['created', 2],
    ['removed', 1],
  ])
})
