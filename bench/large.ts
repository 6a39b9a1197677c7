import { collectionAnswer } from '../shared/http/orders-answer.ts'
import { selectOrders } from '../shared/orders/select-orders.ts'
import { readOrderCollection } from '../shared/partner-center/collection.ts'
import { startBenchHost } from './bench-host.ts'
import { alternate, type Figure, median } from './report.ts'
import { collectionOf, customerIds } from './scenes/upstream.ts'

const orders = 5000

type Body = ConstructorParameters<typeof Response>[0]

/** From the bytes received to the bytes answered, ETag included. */
export function transform(body: Buffer): Body {
  const { items, envelope } = readOrderCollection(body)
  const provenance = { source: 'live', asOf: 0, pricesUnavailable: false } as const
  return collectionAnswer(selectOrders(items), envelope, provenance, null).body as Body
}

const cpuMs = (work: () => void): number => {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

export async function measure(): Promise<Figure[]> {
  const body = collectionOf('b0d70a69-4c42-4b27-b17b-91a835d8686a', orders)
  const kept = (await new Response(transform(body)).json()) as { items: unknown[] }
  if (kept.items.length !== orders) throw new Error('The answer has lost orders')
  const ours = () => cpuMs(() => transform(body))
  const parsed = () => cpuMs(() => Buffer.from(JSON.stringify(JSON.parse(body.toString('utf8')))))
  for (let warm = 0; warm < 5; warm++) [ours(), parsed()]
  const [app, baseline] = await alternate(31, ours, parsed)
  const peaks: number[] = []
  while (peaks.length < 5) peaks.push(await peakMemory())
  const peakBytes = median(peaks)
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
  return [
    {
      what: `${orders} orders (${megabytes(body.length)}), received bytes to answer bytes: CPU`,
      baseline: 'JSON.parse + JSON.stringify of the same body',
      ratio: app / baseline,
      target: { atMost: 2 },
      values: `${app.toFixed(1)} ms against ${baseline.toFixed(1)} ms, median of 31`,
    },
    {
      what: `${orders} orders over HTTP through the functions host: peak memory above idle`,
      baseline: 'the size of the body',
      ratio: peakBytes / body.length,
      target: { atMost: 10 },
      values: `${megabytes(peakBytes)} resident for a body of ${megabytes(body.length)}, median of ${peaks.length} fresh hosts`,
    },
  ]
}

/** Of the first large answer after a start: the handler, the library's conversions and the host's socket together. */
async function peakMemory(): Promise<number> {
  const [large] = customerIds(1)
  const host = await startBenchHost({ ordersEach: orders, customers: 1 })
  try {
    // A refused customer warms up everything but the orders themselves.
    await fetch(`${host.url}/api/customers/00000000-0000-4000-8000-000000000000/orders`)
    return await host.peakAboveIdle(async () => {
      const response = await fetch(`${host.url}/api/customers/${large}/orders`)
      if (response.status !== 200) throw new Error(`The host answered ${response.status}`)
      await response.arrayBuffer()
    })
  } finally {
    await host.stop()
  }
}
