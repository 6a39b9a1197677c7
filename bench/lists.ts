import { toCsv } from '../shared/http/responses/csv.ts'
import { orderLineColumns, toOrderLines } from '../shared/orders/order-lines.ts'
import { readOrderCollection } from '../shared/partner-center/collection.ts'
import { type BenchHost, startBenchHost } from './bench-host.ts'
import { alternate, type Figure } from './report.ts'
import { collectionOf, customerIds } from './scenes/upstream.ts'

const orders = 5000
const [customer = ''] = customerIds(1)

const timed = async (work: () => unknown): Promise<number> => {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

const read = async (host: BenchHost, path: string): Promise<string> => {
  const response = await fetch(`${host.url}/api/${path}`)
  if (response.status !== 200) throw new Error(`The host answered ${response.status}`)
  return response.text()
}

export async function measure(): Promise<Figure[]> {
  return [await linesAgainstOrders(), await csvAgainstJson(), ...(await customerList())]
}

async function linesAgainstOrders(): Promise<Figure> {
  const host = await startBenchHost({ ordersEach: orders, customers: 1 })
  try {
    const lines = () => timed(() => read(host, `customers/${customer}/order-lines?top=1000`))
    const collection = () => timed(() => read(host, `customers/${customer}/orders`))
    for (let warm = 0; warm < 3; warm++) [await lines(), await collection()]
    const [ours, baseline] = await alternate(15, lines, collection)
    return {
      what: `a page of 1000 order lines of ${orders} orders`,
      baseline: 'get-customer-orders for the same customer',
      ratio: ours / baseline,
      target: { atMost: 1.5 },
      values: `${ours.toFixed(0)} ms against ${baseline.toFixed(0)} ms, median of 15`,
    }
  } finally {
    await host.stop()
  }
}

async function csvAgainstJson(): Promise<Figure> {
  const { items } = readOrderCollection(collectionOf(customer, orders))
  const rows = () => items.flatMap(order => toOrderLines(order, customer))
  const csv = () => timed(() => toCsv(orderLineColumns, rows()))
  const json = () => timed(() => JSON.stringify({ value: rows() }))
  for (let warm = 0; warm < 3; warm++) [await csv(), await json()]
  const [ours, baseline] = await alternate(21, csv, json)
  return {
    what: `all ${rows().length} order lines as CSV`,
    baseline: 'the same rows as JSON',
    ratio: ours / baseline,
    target: { atMost: 1.5 },
    values: `${ours.toFixed(0)} ms against ${baseline.toFixed(0)} ms, median of 21`,
  }
}

/**
 * Limits for the list of 10,000 customers: megabytes above idle, and milliseconds of CPU for a response from memory.
 */
const listBounds = { megabytes: 60, cpuMs: 10 }

async function customerList(): Promise<Figure[]> {
  const host = await startBenchHost({ ordersEach: 1, customers: 1 })
  try {
    await read(host, `customers/${customer}/orders`)
    const peak = (await host.peakAboveIdle(() => read(host, 'customers?top=1000'))) / 1e6
    const answers = 100
    const ask = async () => {
      for (let index = 0; index < answers; index++) await read(host, 'customers?search=zurich&top=500')
    }
    await ask()
    const cpu = (await host.cpuDuring(ask)) / answers
    return [
      {
        what: 'list-customers over 10,000 customers, first answer: peak memory above idle',
        baseline: `the bound of ${listBounds.megabytes} MB`,
        ratio: peak / listBounds.megabytes,
        target: { atMost: 1 },
        values: `${peak.toFixed(0)} MB resident, 20 calls upstream`,
      },
      {
        what: 'list-customers from memory, search and page of 500: CPU an answer',
        baseline: `the bound of ${listBounds.cpuMs} ms`,
        ratio: cpu / listBounds.cpuMs,
        target: { atMost: 1 },
        values: `${cpu.toFixed(1)} ms, the host's own work and the answer's bytes included`,
      },
    ]
  } finally {
    await host.stop()
  }
}
