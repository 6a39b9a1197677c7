import { collectionResponse } from '../shared/http/responses/orders-response.ts'
import { selectOrders } from '../shared/orders/select-orders.ts'
import { readOrderCollection } from '../shared/partner-center/collection.ts'
import { type BenchHost, startBenchHost } from './bench-host.ts'
import { type Figure, median, summarize } from './report.ts'
import { collectionOf, customerIds } from './scenes/upstream.ts'

const orders = 5000
const rounds = 21
const hosts = 3
const [large = ''] = customerIds(1)

type Body = ConstructorParameters<typeof Response>[0]

/** From the bytes received to the bytes returned, including the ETag. The copy stands for receiving them. */
export function transform(body: Buffer): Body {
  const { items, envelope } = readOrderCollection(Buffer.from(body))
  const provenance = { source: 'live', asOf: 0, pricesUnavailable: false } as const
  return collectionResponse(selectOrders(items), envelope, provenance, null).body as Body
}

const cpuMs = (work: () => void): number => {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`

export async function measure(): Promise<Figure[]> {
  const body = collectionOf(large, orders)
  const kept = (await new Response(transform(body)).json()) as { items: unknown[] }
  if (kept.items.length !== orders) throw new Error('The answer has lost orders')
  const ours = () => cpuMs(() => transform(body))
  const parsed = () => cpuMs(() => Buffer.from(JSON.stringify(JSON.parse(body.toString('utf8')))))
  for (let warm = 0; warm < 5; warm++) [ours(), parsed()]
  const [app, baseline]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    app.push(ours())
    baseline.push(parsed())
  }
  const cpu = summarize(app, baseline)

  const peaks: Record<'ours' | 'usual', { first: number[]; tenth: number[] }> = {
    ours: { first: [], tenth: [] },
    usual: { first: [], tenth: [] },
  }
  for (let round = 0; round < hosts; round++) {
    for (const name of ['ours', 'usual'] as const) {
      const { first, tenth } = await peakMemory(name)
      peaks[name].first.push(first)
      peaks[name].tenth.push(tenth)
    }
  }
  const tenth = summarize(peaks.ours.tenth, peaks.usual.tenth)
  const first = summarize(
    peaks.ours.first,
    peaks.ours.first.map(() => body.length),
  )
  return [
    {
      what: `${orders} orders (${megabytes(body.length)}), received bytes to answer bytes: CPU`,
      baseline: 'JSON.parse + JSON.stringify of the same body',
      ratio: cpu.ratio,
      spread: cpu.spread,
      target: { atMost: 0.45 },
      values: `${cpu.ours.toFixed(1)} ms against ${cpu.baseline.toFixed(1)} ms, ${rounds} rounds`,
    },
    {
      what: `${orders} orders over HTTP, first large answer of a fresh host: peak memory above idle`,
      baseline: 'the size of the body',
      ratio: first.ratio,
      spread: first.spread,
      target: { atMost: 5.5 },
      values: `${megabytes(first.ours)} for a body of ${megabytes(body.length)}, ${hosts} fresh hosts; the usual way takes ${megabytes(median(peaks.usual.first))}`,
    },
    {
      what: `${orders} orders over HTTP, ten answers in a row: peak memory above idle`,
      baseline: 'the usual way',
      ratio: tenth.ratio,
      spread: tenth.spread,
      target: { atMost: 0.4 },
      values: `${megabytes(tenth.ours)} against ${megabytes(tenth.baseline)}, ${hosts} fresh hosts each`,
    },
  ]
}

const routes = { ours: 'customers', usual: 'usual-way' } as const

/**
 * The peak of the first large response after a start, and of ten in turn: the handler, the library's conversions and
 * the host's socket.
 */
async function peakMemory(name: keyof typeof routes): Promise<{ first: number; tenth: number }> {
  const host = await startBenchHost({ ordersEach: orders, customers: 1, modules: ['./bench/scenes/usual-way.ts'] })
  try {
    // A refused customer warms up everything except the orders.
    await fetch(`${host.url}/api/${routes[name]}/00000000-0000-4000-8000-000000000000/orders`)
    let first = 0
    const tenth = await host.peakAboveIdle(async peakSoFar => {
      await readLarge(host, name)
      first = await peakSoFar()
      for (let answer = 1; answer < 10; answer++) await readLarge(host, name)
    })
    return { first, tenth }
  } finally {
    await host.stop()
  }
}

async function readLarge(host: BenchHost, name: keyof typeof routes): Promise<void> {
  const response = await fetch(`${host.url}/api/${routes[name]}/${large}/orders`)
  if (response.status !== 200) throw new Error(`The host answered ${response.status}`)
  await response.arrayBuffer()
}
