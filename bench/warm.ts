import { startBenchHost } from './bench-host.ts'
import { applyLoad, customersFor, type LoadResult } from './load-generator.ts'
import { type Figure, median, summarize } from './report.ts'

const inFlight = 32
const requests = 1600
const rounds = 5

/** The functions under load, by the first part of their route. */
const functions = { ours: 'customers', usual: 'usual-way', bare: 'pass-through' } as const
type Name = keyof typeof functions

/** The memory of an instance in the templates. */
const instanceGb = 2

/**
 * GB-seconds of 1,000 requests without a pause. Flex Consumption bills the time in which an instance runs anything, at
 * least a second, rounded up to 100 ms (learn.microsoft.com/azure/azure-functions/flex-consumption-plan).
 */
const gbSeconds = (requestsPerSecond: number): number =>
  (Math.max(10, Math.ceil(10_000 / requestsPerSecond)) / 10) * instanceGb

export async function measure(): Promise<Figure[]> {
  const host = await startBenchHost({
    ordersEach: 20,
    customers: customersFor(inFlight),
    modules: ['./bench/scenes/pass-through.ts', './bench/scenes/usual-way.ts'],
  })
  const load = (name: Name) =>
    applyLoad({ host, path: id => `/api/${functions[name]}/${id}/orders`, inFlight, requests })
  const names = Object.keys(functions) as Name[]
  const results: Record<Name, LoadResult[]> = { ours: [], usual: [], bare: [] }
  try {
    for (const name of names) await load(name)
    for (let round = 0; round < rounds; round++) {
      for (const name of names) results[name].push(await load(name))
    }
  } finally {
    await host.stop()
  }

  const column = (name: Name, field: keyof LoadResult) => results[name].map(result => result[field])
  const figure = (against: Name, baseline: string, atLeast: number): Figure => {
    const speed = summarize(column('ours', 'requestsPerSecond'), column(against, 'requestsPerSecond'))
    const cpu = summarize(column(against, 'cpuMicros'), column('ours', 'cpuMicros'))
    const reads = median(column('ours', 'readsPerResponse'))
    return {
      what: `warm get-customer-orders, 20 orders, ${inFlight} in flight: requests a second`,
      baseline,
      ratio: speed.ratio,
      spread: speed.spread,
      target: { atLeast },
      values:
        `${speed.ours.toFixed(0)} against ${speed.baseline.toFixed(0)} requests/s; ` +
        `CPU of the host ${cpu.baseline.toFixed(0)} against ${cpu.ours.toFixed(0)} µs a request (ratio ${cpu.ratio.toFixed(2)}); ` +
        `${reads.toFixed(2)} calls upstream and ${(median(column('ours', 'bytesPerResponse')) / 1000).toFixed(1)} KB an answer; ` +
        `${rounds} rounds of ${requests} requests`,
    }
  }
  const cost = summarize(
    column('ours', 'requestsPerSecond').map(gbSeconds),
    column('usual', 'requestsPerSecond').map(gbSeconds),
  )
  return [
    figure('bare', 'a bare undici pass-through in the same host', 0.6),
    figure('usual', 'the usual way (fetch, res.json(), filter, sort, jsonBody) in the same host', 1.4),
    {
      what: `GB-seconds of 1,000 warm requests, ${inFlight} in flight, on one instance of ${instanceGb} GB, billed as Flex Consumption does`,
      baseline: 'the usual way',
      ratio: cost.ratio,
      spread: cost.spread,
      target: { atMost: 0.5 },
      values: `${cost.ours.toFixed(1)} against ${cost.baseline.toFixed(1)} GB-s; requests one by one cost ${1000 * instanceGb} either way, since each is billed as a second`,
    },
  ]
}
