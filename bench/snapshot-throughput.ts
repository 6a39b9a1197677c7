import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { root } from '../local/build/bundle.ts'
import { startAzurite } from '../local/processes/azurite.ts'
import { startBenchHost } from './bench-host.ts'
import { type Figure, median, summarize } from './report.ts'

const run = promisify(execFile)
const customers = 1000
const concurrency = 5
const rounds = 5

/** The usual way takes four times as long for each customer. */
const usualCustomers = 300
const usualRounds = 2

/** Customers and gigabytes of the instance that a snapshot's cost is told for. */
const costCustomers = 10_000
const instanceGb = 2

/** Flex Consumption bills the time in which an instance runs anything, rounded up to 100 ms. */
const gbSeconds = (msEach: number): number => (Math.ceil((msEach * costCustomers) / 100) / 10) * instanceGb

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
    const usualScript = [
      `${root}bench/scenes/usual-snapshot.ts`,
      host.upstreamUrl,
      azurite.connectionString,
      String(usualCustomers),
    ]
    const usual = async () => Number((await run(process.execPath, usualScript)).stdout) / usualCustomers
    await bare()
    await ours()
    const results = { app: [] as number[], bare: [] as number[], p99: [] as number[], max: [] as number[] }
    const readsBefore = await host.upstreamReads()
    for (let round = 0; round < rounds; round++) {
      await host.eventLoopDelays()
      results.app.push(await ours())
      const { p99Ms, maxMs } = await host.eventLoopDelays()
      results.p99.push(p99Ms)
      results.max.push(maxMs)
      results.bare.push(await bare())
    }
    const reads = ((await host.upstreamReads()) - readsBefore) / rounds / customers
    const speed = summarize(results.bare, results.app)
    const usualMs = [await usual()]
    while (usualMs.length < usualRounds) usualMs.push(await usual())
    const [oursCost, usualCost] = [gbSeconds(speed.baseline / customers), gbSeconds(median(usualMs))]
    return [
      {
        what: `a snapshot of ${customers} customers × 20 orders with order lines, no pace, 20 ms upstream, all of the run`,
        baseline: 'a bare loop that fetches, gzips and uploads the same, without order lines',
        ratio: speed.ratio,
        spread: speed.spread,
        target: { atLeast: 0.9 },
        values: `${(speed.baseline / 1000).toFixed(2)} s against ${(speed.ours / 1000).toFixed(2)} s, ${rounds} rounds, ${concurrency} requests under way, ${reads.toFixed(2)} reads a customer by the two together`,
      },
      {
        what: 'the same snapshots: 99th percentile of the delay of the event loop',
        baseline: 'the bound of 30 ms',
        ratio: median(results.p99) / 30,
        target: { atMost: 1 },
        values: `${median(results.p99).toFixed(1)} ms, the longest ${Math.max(...results.max).toFixed(0)} ms`,
      },
      {
        what: `GB-seconds of a snapshot of ${costCustomers} customers without a pace, one instance of ${instanceGb} GB, billed as Flex Consumption does`,
        baseline: `the usual way: one customer after the other, without order lines`,
        ratio: oursCost / usualCost,
        target: { atMost: 0.5 },
        values: `${oursCost.toFixed(0)} against ${usualCost.toFixed(0)} GB-s, from ${customers} and ${usualCustomers} customers at 20 ms upstream; at the default pace of 450 a minute the pace alone decides, ${((costCustomers / 450) * 60 * instanceGb).toFixed(0)} GB-s either way`,
      },
    ]
  } finally {
    await host.stop()
    await azurite.stop()
  }
}
