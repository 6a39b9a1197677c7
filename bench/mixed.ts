import { type BenchHost, startBenchHost } from './bench-host.ts'
import { type Figure, summarize } from './report.ts'
import { customerIds } from './scenes/upstream.ts'

const largeOrders = 5000
const rounds = 4
const smallReads = 240
const lanes = 8
const routes = { ours: 'customers', usual: 'usual-way' } as const
type Name = keyof typeof routes

const [large = '', ...small] = customerIds(1 + 2 * lanes)

const read = async (host: BenchHost, name: Name, customer: string): Promise<number> => {
  const startedAt = performance.now()
  const response = await fetch(`${host.url}/api/${routes[name]}/${customer}/orders`)
  const { byteLength } = await response.arrayBuffer()
  if (response.status !== 200 || byteLength < 1000) throw new Error(`The host answered ${response.status}`)
  return performance.now() - startedAt
}

/** The 99th percentile of small reads, in milliseconds, while one caller reads 5,000 orders repeatedly. */
async function p99(host: BenchHost, name: Name): Promise<{ ms: number; largeReads: number }> {
  let reading = true
  let largeReads = 0
  const loop = async () => {
    while (reading) {
      await read(host, name, large)
      largeReads++
    }
  }
  const looping = loop()
  const times: number[] = []
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      for (let index = 0; index < smallReads / lanes; index++) {
        times.push(await read(host, name, small[2 * lane + (index % 2)] ?? ''))
      }
    }),
  )
  reading = false
  await looping
  times.sort((a, b) => a - b)
  return { ms: times[Math.floor(times.length * 0.99)] ?? Number.NaN, largeReads }
}

/** The effect of one caller's large responses on the others. */
export async function measure(): Promise<Figure[]> {
  const host = await startBenchHost({
    ordersEach: 20,
    firstHas: largeOrders,
    customers: small.length + 1,
    modules: ['./bench/scenes/usual-way.ts'],
  })
  const results: Record<Name, number[]> = { ours: [], usual: [] }
  let largeReads = 0
  try {
    for (const name of ['ours', 'usual'] as const) await p99(host, name)
    for (let round = 0; round < rounds; round++) {
      for (const name of ['ours', 'usual'] as const) {
        const result = await p99(host, name)
        results[name].push(result.ms)
        if (name === 'ours') largeReads += result.largeReads
      }
    }
  } finally {
    await host.stop()
  }
  const { ours, baseline, ratio, spread } = summarize(results.ours, results.usual)
  return [
    {
      what: `p99 of small reads (20 orders, ${lanes} in flight) while one caller loops ${largeOrders} orders`,
      baseline: 'the usual way under the same load',
      ratio,
      spread,
      target: { atMost: 0.5 },
      values: `${ours.toFixed(0)} against ${baseline.toFixed(0)} ms, ${rounds} rounds of ${smallReads} small reads, ${(largeReads / rounds).toFixed(0)} large ones beside them`,
    },
  ]
}
