import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { root } from '../local/build/bundle.ts'
import { startAzurite } from '../local/processes/azurite.ts'
import { startBenchHost } from './bench-host.ts'
import { alternate, type Figure } from './report.ts'

const run = promisify(execFile)
const customers = 1000
const concurrency = 5

/** The milliseconds of one run, from its start to its manifest, according to the manifest. */
async function snapshot(api: string): Promise<number> {
  const started = await fetch(`${api}/snapshots`, { method: 'POST' })
  if (started.status !== 202) throw new Error(`The host answered ${started.status}`)
  const location = started.headers.get('location') ?? ''
  for (;;) {
    const response = await fetch(location)
    const body = (await response.json()) as { startedAt: string; finishedAt: string; customers: { read: number } }
    if (response.status === 202) {
      await new Promise(resolve => setTimeout(resolve, 200))
      continue
    }
    if (body.customers.read !== customers) throw new Error(`Only ${body.customers.read} customers were read`)
    return Date.parse(body.finishedAt) - Date.parse(body.startedAt)
  }
}

export async function measure(): Promise<Figure[]> {
  const azurite = await startAzurite()
  const host = await startBenchHost({
    ordersEach: 20,
    customers,
    latency: 20,
    listed: customers,
    settings: {
      AzureWebJobsStorage: azurite.connectionString,
      PARTNER_CENTER_REQUESTS_PER_MINUTE: '100000',
      PARTNER_CENTER_CONCURRENCY: String(concurrency),
    },
  })
  try {
    const ours = () => snapshot(`${host.url}/api`)
    const script = [
      `${root}bench/scenes/bare-loop.ts`,
      host.upstreamUrl,
      azurite.connectionString,
      String(customers),
      String(concurrency),
    ]
    const bare = async () => Number((await run(process.execPath, script)).stdout)
    await bare()
    await ours()
    const [app, baseline] = await alternate(5, ours, bare)
    return [
      {
        what: `a snapshot of ${customers} customers × 20 orders, no pace, 20 ms upstream, all of the run`,
        baseline: 'a bare loop that fetches, gzips and uploads the same',
        ratio: baseline / app,
        target: { atLeast: 0.8 },
        values: `${(app / 1000).toFixed(2)} s against ${(baseline / 1000).toFixed(2)} s, median of 5, ${concurrency} requests under way`,
      },
    ]
  } finally {
    await host.stop()
    await azurite.stop()
  }
}
