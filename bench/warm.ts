import autocannon from 'autocannon'
import { startBenchHost } from './bench-host.ts'
import { alternate, type Figure } from './report.ts'
import { customerIds } from './scenes/upstream.ts'

const inFlight = 32
const seconds = 4
const customers = 64

/** Requests per second, each for another customer than its neighbours, so that no two share an upstream call. */
async function throughput(url: string, path: (customer: string) => string): Promise<number> {
  const requests = customerIds(customers).map(id => ({ path: path(id) }))
  const result = await autocannon({ url, connections: inFlight, duration: seconds, requests })
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${result.non2xx} failures, ${result.errors} errors`)
  return result.requests.average
}

export async function measure(): Promise<Figure[]> {
  const host = await startBenchHost({ ordersEach: 20, customers, modules: ['./bench/scenes/pass-through.ts'] })
  try {
    const ours = () => throughput(host.url, id => `/api/customers/${id}/orders`)
    const bare = () => throughput(host.url, id => `/api/pass-through/${id}/orders`)
    await ours()
    await bare()
    const [app, baseline] = await alternate(5, ours, bare)
    return [
      {
        what: `warm get-customer-orders, 20 orders, ${inFlight} in flight`,
        baseline: 'a bare undici pass-through in the same host',
        ratio: app / baseline,
        target: { atLeast: 0.5 },
        values: `${app.toFixed(0)} requests/s against ${baseline.toFixed(0)}, median of 5 rounds of ${seconds} s each`,
      },
    ]
  } finally {
    await host.stop()
  }
}
