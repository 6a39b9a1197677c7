import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { root } from '../local/build/bundle.ts'
import { startAzurite } from '../local/processes/azurite.ts'
import { toOrderLines } from '../shared/orders/order-lines.ts'
import { readOrderCollection } from '../shared/partner-center/collection.ts'
import { encodeCustomer } from '../shared/snapshots/storage/codec.ts'
import { linesBlob, partBlob } from '../shared/snapshots/storage/layout.ts'
import { createLinesEncoder } from '../shared/snapshots/storage/lines-encoder.ts'
import { startBenchHost } from './bench-host.ts'
import { alternate, type Figure, median } from './report.ts'
import { collectionOf, customerIds } from './scenes/upstream.ts'

const run = promisify(execFile)
const heapLimits = ['--max-old-space-size=128', '--max-semi-space-size=4']

export async function measure(): Promise<Figure[]> {
  return [...(await snapshotWithLines()), await query(), ...(await csvPage())]
}

type Cost = { ms: number; cpu: number }

async function snapshotWithLines(): Promise<Figure[]> {
  const customers = 1000
  const rounds = 3
  const azurite = await startAzurite()
  const host = await startBenchHost({ ordersEach: 20, customers, latency: 20, listed: customers, settings: {} })
  try {
    const env = {
      ...process.env,
      ...host.settings,
      AzureWebJobsStorage: azurite.connectionString,
      PARTNER_CENTER_REQUESTS_PER_MINUTE: '100000',
      PARTNER_CENTER_CONCURRENCY: '5',
    }
    const script = [`${root}bench/scenes/lines-worker.ts`, String(customers), String(rounds)]
    const { stdout } = await run(process.execPath, script, { env })
    const found = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { lines: Cost; without: Cost }[]
    const of = (kind: 'lines' | 'without', what: keyof Cost) => median(found.map(each => each[kind][what]))
    return [
      {
        what: `a snapshot of ${customers} customers × 20 orders with order lines, no pace, 20 ms upstream`,
        baseline: 'the same without: as a run over some customers',
        ratio: of('lines', 'ms') / of('without', 'ms'),
        target: { atMost: 1.15 },
        values: `${of('lines', 'ms').toFixed(0)} ms against ${of('without', 'ms').toFixed(0)} ms, CPU ${of('lines', 'cpu').toFixed(0)} ms against ${of('without', 'cpu').toFixed(0)} ms (with the report of the run), median of ${rounds}`,
      },
    ]
  } finally {
    await host.stop()
    await azurite.stop()
  }
}

/** Writes a run to storage, in which each customer has the same orders. */
async function writeRun(folder: string, customers: number): Promise<void> {
  const place = { snapshotId: '20261120T002000Z' }
  const ids = customerIds(customers)
  const { items } = readOrderCollection(collectionOf(ids[0] ?? '', 20))
  const retrievedAt = '2026-11-20T00:21:00.000Z'
  const write = async (name: string, body: Buffer) => {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), body)
  }
  for (let part = 0; part * 50 < customers; part++) {
    const some = ids.slice(part * 50, part * 50 + 50)
    const heads = some.map((customerTenantId, at) => ({
      customerTenantId,
      customerName: `Customer ${at}`,
      retrievedAt,
    }))
    const members = await Promise.all(heads.map(head => encodeCustomer(head, items)))
    await write(partBlob(place, part), Buffer.concat(members))
    const encoder = await createLinesEncoder()
    const pieces: Buffer[] = []
    for (const { customerTenantId, customerName } of heads) {
      for (const order of items) {
        for (const line of toOrderLines(order, customerTenantId, customerName)) {
          pieces.push(encoder.add({ ...line, retrievedAt, snapshotId: place.snapshotId }))
        }
      }
    }
    await write(linesBlob(place, part), Buffer.concat([...pieces, encoder.finish()]))
  }
}

async function query(): Promise<Figure> {
  const folder = await mkdtemp(join(tmpdir(), 'lines-'))
  try {
    await writeRun(folder, 10_000)
    const connection = await (await DuckDBInstance.create()).connect()
    const timed = async (sql: string) => {
      const startedAt = performance.now()
      await connection.runAndReadAll(sql)
      return performance.now() - startedAt
    }
    const parquet = () =>
      timed(`SELECT customerTenantId, friendlyName, sum(quantity) FROM '${folder}/lines/*/*/*.parquet' GROUP BY ALL`)
    const ndjson = () =>
      timed(`SELECT customerTenantId, line.friendlyName, sum(line.quantity)
             FROM (SELECT customerTenantId, unnest("order".lineItems) AS line
                   FROM read_ndjson('${folder}/snapshots/*/*/part-*.ndjson.gz', union_by_name = true)) GROUP BY ALL`)
    await parquet()
    const [ours, baseline] = await alternate(3, parquet, ndjson)
    return {
      what: 'DuckDB, units of each product for 10,000 customers × 20 orders, on the Parquet files',
      baseline: 'the same on the NDJSON files',
      ratio: baseline / ours,
      target: { atLeast: 10 },
      values: `${ours.toFixed(0)} ms against ${baseline.toFixed(0)} ms, median of 3`,
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}

type Page = { bytes: number; peak: number; cpu: number }

async function csvPage(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'page-'))
  try {
    const scene = async (format: string) => {
      const script = ['--expose-gc', ...heapLimits, `${root}bench/scenes/lines-page.ts`, folder, format]
      return (await run(process.execPath, script)).stdout.trim()
    }
    await scene('write')
    const [csv, json] = [JSON.parse(await scene('csv')) as Page, JSON.parse(await scene('json')) as Page]
    const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
    return [
      {
        what: 'a CSV page of 50,000 order lines of all customers: CPU',
        baseline: 'the same rows as JSON',
        ratio: csv.cpu / json.cpu,
        target: { atMost: 1.5 },
        values: `${csv.cpu.toFixed(0)} ms against ${json.cpu.toFixed(0)} ms, median of 7, storage on disk`,
      },
      {
        what: 'a CSV page of 50,000 order lines of all customers: peak resident memory above idle',
        baseline: `the bytes of the page, under ${heapLimits.join(' ')}`,
        ratio: csv.peak / csv.bytes,
        target: { atMost: 4 },
        values: `${megabytes(csv.peak)} for ${megabytes(csv.bytes)}`,
      },
    ]
  } finally {
    await rm(folder, { recursive: true })
  }
}
