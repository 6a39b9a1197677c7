import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundle, root } from '../local/build/bundle.ts'
import { type Running, runNode } from '../local/processes/run-node.ts'
import { startSimulator } from '../local/simulator/simulator.ts'

export type BenchHost = {
  url: string
  upstreamUrl: string
  /** Settings that connect another process to the same upstream and credentials. */
  settings: Record<string, string>
  /** Peak resident bytes while `work` runs, above the bytes before. `work` can read the peak so far. Linux only. */
  peakAboveIdle: (work: (peakSoFar: () => Promise<number>) => Promise<unknown>) => Promise<number>
  /** Milliseconds of CPU of the host while `work` runs, over all its threads. Linux only. */
  cpuDuring: (work: () => Promise<unknown>) => Promise<number>
  /** The number of upstream reads of orders so far. */
  upstreamReads: () => Promise<number>
  stop: () => Promise<void>
}

type Options = {
  /** The orders of each customer, and the number of customers of the upstream. */
  ordersEach: number
  customers: number
  /** Orders of the first customer, if it has more than the others. */
  firstHas?: number
  /** More modules for the bundle, such as a baseline function. */
  modules?: string[]
  /** Milliseconds before a response of the upstream. */
  latency?: number
  /** Customers in the upstream's list. Those after the first few have the orders of the first. */
  listed?: number
  settings?: Record<string, string>
}

/** The functions host with the built app, and an upstream that takes almost no time, each in its own process. */
export async function startBenchHost({
  ordersEach,
  customers,
  firstHas = ordersEach,
  modules = [],
  latency = 0,
  listed = 0,
  settings = {},
}: Options): Promise<BenchHost> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'))
  const functions = (await readdir(`${root}functions`)).map(name => `./functions/${name}`)
  await bundle([...modules, ...functions], join(folder, 'dist'))
  await writeFile(join(folder, 'package.json'), '{"type":"module","main":"dist/main.js"}')
  await copyFile(`${root}host.json`, join(folder, 'host.json'))
  const simulator = await startSimulator()
  await writeFile(join(folder, 'simulator.pem'), simulator.certificate)
  const upstream = await runNode(
    [`${root}bench/scenes/upstream.ts`, ...[ordersEach, customers, latency, listed, firstHas].map(String)],
    lines => lines.length > 0,
  )
  const upstreamUrl = `http://127.0.0.1:${upstream.lines[0]?.replace(/\D/g, '')}`
  const env = {
    ...simulator.settings,
    PARTNER_CENTER_BASE_URL: upstreamUrl,
    AzureWebJobsStorage: 'UseDevelopmentStorage=true',
    NODE_EXTRA_CA_CERTS: join(folder, 'simulator.pem'),
    ...settings,
  }
  const host = await runNode(
    [`${root}bench/scenes/host.ts`, folder],
    lines => lines.some(line => line.startsWith('Listening')),
    { env: { ...process.env, ...env } },
  )
  return {
    url: host.lines.at(-1)?.replace('Listening on ', '') ?? '',
    upstreamUrl,
    settings: env,
    async peakAboveIdle(work) {
      const idle = await residentBytes(host, 'VmRSS')
      // Resets the peak to the bytes that are resident now (man 5 proc, clear_refs).
      await writeFile(`/proc/${host.process.pid}/clear_refs`, '5')
      const peakSoFar = async () => (await residentBytes(host, 'VmHWM')) - idle
      await work(peakSoFar)
      return peakSoFar()
    },
    async cpuDuring(work) {
      const before = await cpuMs(host)
      await work()
      return (await cpuMs(host)) - before
    },
    upstreamReads: async () => Number(await (await fetch(`${upstreamUrl}/reads`)).text()),
    async stop() {
      await host.stop()
      await upstream.stop()
      await simulator.stop()
      await rm(folder, { recursive: true })
    },
  }
}

async function residentBytes({ process: { pid } }: Running, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) * 1024
}

/** User and system time of a process, from its scheduler statistics in ticks of 10 ms (man 5 proc). */
async function cpuMs({ process: { pid } }: Running): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}
