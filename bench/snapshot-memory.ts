import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { root } from '../local/build/bundle.ts'
import { startAzurite } from '../local/processes/azurite.ts'
import { type BenchHost, startBenchHost } from './bench-host.ts'
import type { Figure } from './report.ts'

const run = promisify(execFile)

/** The heap limits of the measurement. With V8's defaults, hundreds of megabytes of garbage stay in memory. */
const heapLimits = ['--max-old-space-size=128', '--max-semi-space-size=4']
const bounds = { resident: 80e6, live: 50e6, growth: 10e6 }

type Use = { resident: number; residentOfParts: number; live: number }

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`

async function use(role: 'planner' | 'worker', env: Record<string, string>, ...rest: string[]): Promise<Use> {
  const args = ['--expose-gc', ...heapLimits, `${root}bench/scenes/snapshot-worker.ts`, role, ...rest]
  const { stdout } = await run(process.execPath, args, { env: { ...process.env, ...env }, maxBuffer: 1e7 })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Use
}

async function measureRun(
  customers: number,
  perPart: number,
  isPartial = false,
): Promise<{ planner: Use; worker: Use; readBack: number }> {
  const azurite = await startAzurite()
  let host: BenchHost | undefined
  try {
    host = await startBenchHost({ ordersEach: 20, customers: 1, listed: customers, settings: {} })
    const env = {
      ...host.settings,
      AzureWebJobsStorage: azurite.connectionString,
      PARTNER_CENTER_REQUESTS_PER_MINUTE: '100000',
      SNAPSHOT_CUSTOMERS_PER_PART: String(perPart),
    }
    const planner = await use('planner', env, ...(isPartial ? [String(customers)] : []))
    const worker = await use('worker', env)
    return { planner, worker, readBack: isPartial ? 0 : await bytesRead(env) }
  } finally {
    await host?.stop()
    await azurite.stop()
  }
}

/** The bytes that reading back one customer takes from storage, compared with its member and index. */
async function bytesRead(env: Record<string, string>): Promise<number> {
  const { BlobServiceClient } = await import('@azure/storage-blob')
  const { createStore } = await import('../shared/snapshots/storage/store.ts')
  const { createReader } = await import('../shared/snapshots/storage/reader.ts')
  const { createFindRuns } = await import('../shared/snapshots/storage/find-runs.ts')
  const container = BlobServiceClient.fromConnectionString(env.AzureWebJobsStorage ?? '').getContainerClient(
    'order-snapshots',
  )
  const store = createStore(container)
  let bytes = 0
  const counting = {
    ...store,
    async read(name: string, range?: { offset: number; length: number }) {
      const read = await store.read(name, range)
      bytes += read?.body.length ?? 0
      return read
    },
  }
  const reader = createReader(counting)
  const runs = createFindRuns(counting, reader)
  const [{ snapshotId } = { snapshotId: '' }] = await Array.fromAsync(runs.places(undefined))
  const plan = await reader.readPlan({ snapshotId })
  const customer = plan?.parts[3]?.firstId ?? ''
  bytes = 0
  const found = await reader.readingIn(snapshotId, customer)
  if (found === undefined) throw new Error('The customer is not in the run')
  await reader.readOrders(found)
  const index = await store.head(
    `${`snapshots/date=${snapshotId.replace(/^(\d{4})(\d\d)(\d\d)T.*/, '$1-$2-$3')}/run=${snapshotId}/_index-00003.json`}`,
  )
  return bytes / ((index?.bytes ?? 0) + found.entry.length)
}

export async function measure(): Promise<Figure[]> {
  const customers = 10_000
  const usual = await measureRun(customers, 50)
  const widerParts = await measureRun(4000, 500)
  const fewerParts = await measureRun(2000, 50)
  // A run over some customers writes no order lines.
  const withoutLines = await measureRun(2000, 50, true)
  const figure = (what: string, bytes: number, bound: number, more = ''): Figure => ({
    what,
    baseline: `the bound of ${megabytes(bound)}, under ${heapLimits.join(' ')}`,
    ratio: bytes / bound,
    target: { atMost: 1 },
    values: `${megabytes(bytes)} above idle${more}`,
  })
  const growth = (what: string, larger: Use, smaller: Use): Figure => ({
    what,
    baseline: `an allowance of ${megabytes(bounds.growth)} of live memory`,
    // Memory below the idle figure is garbage of the start, which that figure still contains.
    ratio: (larger.live - Math.max(0, smaller.live)) / bounds.growth,
    target: { atMost: 1 },
    values: `${megabytes(larger.live)} against ${megabytes(smaller.live)} live above idle`,
  })
  return [
    figure(`planner, ${customers} customers: resident`, usual.planner.resident, bounds.resident),
    figure(`planner, ${customers} customers: live`, usual.planner.live, bounds.live),
    figure(
      `worker, ${customers} customers × 20 orders, before the report: resident`,
      usual.worker.residentOfParts,
      bounds.resident,
      `, and ${megabytes(usual.worker.resident)} with the report`,
    ),
    figure(`worker, ${customers} customers × 20 orders: live`, usual.worker.live, bounds.live),
    growth('worker, 500 customers a part instead of 50', widerParts.worker, usual.worker),
    growth('worker, 200 parts instead of 40', usual.worker, fewerParts.worker),
    {
      what: 'worker, with order lines against without: resident, 2000 customers, before the report',
      baseline: `an allowance of ${megabytes(bounds.growth)}`,
      ratio: (fewerParts.worker.residentOfParts - withoutLines.worker.residentOfParts) / bounds.growth,
      target: { atMost: 1 },
      values: `${megabytes(fewerParts.worker.residentOfParts)} against ${megabytes(withoutLines.worker.residentOfParts)} above idle`,
    },
    {
      what: 'reading one customer back: bytes read from storage',
      baseline: 'its member and one index (the plan’s list of parts is kept from an earlier read)',
      ratio: usual.readBack,
      target: { atMost: 1 },
      values: 'counted at the storage client',
    },
  ]
}
