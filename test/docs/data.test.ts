import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../../local/build/bundle.ts'
import { dictionaryTable, withDictionary } from '../../local/build/data-dictionary.ts'
import { type SimulatedOrder, sampleOrder } from '../../local/simulator/sample-data.ts'
import { lineColumns } from '../../shared/snapshots/storage/line-columns.ts'
import { type RunningApp, startApp } from '../support/running-app.ts'
import { copyContainer, openContainer, takeSnapshot } from '../support/snapshots.ts'

const page = await readFile(`${root}docs/data.md`, 'utf8')
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]+?)\`\`\``, 'g'))].map(([, text = '']) => text)

test('the table of columns matches the schemas (npm run docs writes it)', () => {
  expect(withDictionary(page)).toBe(page)
})

test('each column has its type and what it means', () => {
  const rows = dictionaryTable().split('\n').slice(2, -1)
  expect(rows).toHaveLength(lineColumns.length)
  for (const row of rows) expect(row).toMatch(/^\| `\w+`\?? \| [\w(), ]+ \| [^|]{10,} \| [^|]* \|$/)
})

test.each(['docs/snapshots.md', 'README.md'])('%s links to the page', async file => {
  expect(await readFile(join(root, file), 'utf8')).toMatch(/data\.md\)/)
})

test('queries that no test runs name only columns that exist', () => {
  const known = lineColumns.map(({ name }): string => name)
  const [python = '', spark = ''] = blocks('python')
  const [query = ''] = blocks('powerquery')
  const quoted = (text: string) => [...text.matchAll(/"(\w+)"/g)].map(([, name = '']) => name)
  const others = ['ACCOUNT', 'linesPath', 'parquet', 'basePath']
  for (const text of [python, spark, query.slice(query.indexOf('SelectColumns'))]) {
    const named = quoted(text).filter(name => !others.includes(name))
    expect(named.length).toBeGreaterThan(1)
    expect(named.filter(name => !known.includes(name))).toEqual([])
  }
})

describe('the queries for DuckDB', () => {
  let app: RunningApp
  let folder: string
  let results: Record<string, unknown>[][]

  beforeAll(async () => {
    app = await startApp({
      simulator: { customers: 60 },
      settings: { PARTNER_CENTER_REQUESTS_PER_MINUTE: '60000', SNAPSHOT_CUSTOMERS_PER_PART: '20' },
    })
    folder = await mkdtemp(join(tmpdir(), 'data-'))
    await takeSnapshot(app.api)
    const [, first, second] = app.simulator.partnerCenter.customers
    first?.orders.push(sampleOrder(first.id, 500), sampleOrder(first.id, 501))
    second?.orders.splice(0, 1)
    const { snapshotId } = (await (await takeSnapshot(app.api)).json()) as { snapshotId: string }
    await takeSnapshot(app.api, { customerTenantIds: [first?.id] })
    await copyContainer(openContainer(app.storage), folder)
    const today = snapshotId.replace(/^(\d{4})(\d\d)(\d\d).*/, '$1-$2-$3')
    const connection = await (await DuckDBInstance.create()).connect()
    await connection.run(`SET file_search_path = '${folder}'`)
    // Months must not depend on the reader's time zone.
    await connection.run("SET TimeZone = 'Pacific/Auckland'")
    results = []
    for (const sql of blocks('sql')) {
      results.push((await connection.runAndReadAll(sql.replaceAll('2026-11-20', today))).getRowObjectsJson())
    }
    connection.closeSync()
  })
  afterAll(async () => {
    await app.stop()
    await rm(folder, { recursive: true })
  })

  const all = () =>
    app.simulator.partnerCenter.customers.flatMap(({ id, orders }) => orders.map(order => ({ id, order })))
  const timestamp = ({ creationDate }: SimulatedOrder): number => {
    const text = String(creationDate)
    return Date.parse(/Z$|[+-]\d\d:\d\d$/.test(text) ? text : `${text}Z`)
  }
  const monthOf = (order: SimulatedOrder) => new Date(timestamp(order)).toISOString().slice(0, 7)

  test('the queries for DuckDB return the newest orders', () => {
    const newest = Math.max(...all().map(({ order }) => timestamp(order)))
    expect(results[0]).toHaveLength(20)
    expect(Math.abs(Date.parse(String(results[0]?.[0]?.orderedAt)) - newest)).toBeLessThan(1000)
  })

  test('the queries for DuckDB count orders, lines and customers as of a date', () => {
    const lines = all().flatMap(({ order }) => order.lineItems ?? [])
    const withLines = all().filter(({ order }) => (order.lineItems ?? []).length > 0)
    const [row] = results[1] ?? []
    expect([row?.orders, row?.lines, row?.customers].map(Number)).toEqual([
      new Set(withLines.map(({ order }) => order.id)).size,
      lines.length,
      new Set(withLines.map(({ id }) => id)).size,
    ])
  })

  test('the queries for DuckDB count orders per month, in UTC, and customer', () => {
    const expected = new Map<string, number>()
    for (const { id, order } of all()) {
      if ((order.lineItems ?? []).length === 0) continue
      const key = `${id} ${monthOf(order)}`
      expected.set(key, (expected.get(key) ?? 0) + 1)
    }
    expect(
      results[2]?.map(({ customerTenantId, month, orders }) => [`${customerTenantId} ${month}`, Number(orders)]),
    ).toEqual([...expected].sort(([a], [b]) => (a < b ? -1 : 1)))
  })

  test('the queries for DuckDB return the seats of products at the end of each month', () => {
    const subscriptions = new Map<string, { month: string; sku: string | undefined; quantity: number }>()
    const lines = all()
      .filter(({ order }) => order.status === 'completed')
      .flatMap(({ order }) => (order.lineItems ?? []).map(line => ({ line, order })))
      .sort((a, b) => timestamp(a.order) - timestamp(b.order))
    for (const { line, order } of lines) {
      if (line.subscriptionId === undefined) continue
      const [, sku] = String(line.offerId).includes(':') ? String(line.offerId).split(':') : []
      const key = String(line.subscriptionId).toLowerCase()
      subscriptions.set(key, { month: monthOf(order), sku, quantity: Number(line.quantity) })
    }
    const months = [...new Set(results[3]?.map(({ month }) => String(month)))]
    expect(months).toEqual([...months].sort())
    expect(months.length).toBeGreaterThan(12)
    for (const month of [months[0], months[20], months.at(-1)].map(String)) {
      const seats = (results[3] ?? []).filter(row => row.month === month).map(row => Number(row.seats))
      const expected = [...subscriptions.values()].filter(each => each.month <= month)
      expect(seats.reduce((a, b) => a + b, 0)).toBe(expected.reduce((sum, { quantity }) => sum + quantity, 0))
    }
  })

  test('the queries for DuckDB return the changes of the last week', () => {
    expect(results[4]?.map(({ kind }) => kind)).toEqual(['created', 'created', 'removed'])
    expect(results).toHaveLength(5)
  })
})
