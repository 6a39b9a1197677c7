import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from '../local/build/bundle.ts'
import { startAzurite } from '../local/processes/azurite.ts'
import { type Running, runNode } from '../local/processes/run-node.ts'
import { firstTimes, sendText } from '../local/simulator/failure-cases.ts'
import { startSimulator } from '../local/simulator/simulator.ts'
import type { Figure } from './report.ts'

const customers = 300
const perMinute = 200

/** The most requests in any 60 seconds. */
function worstMinute(sentAt: readonly number[]): number {
  let worst = 0
  for (let from = 0, to = 0; to < sentAt.length; to++) {
    while ((sentAt[to] ?? 0) - (sentAt[from] ?? 0) >= 60_000) from++
    worst = Math.max(worst, to - from + 1)
  }
  return worst
}

/** Two hosts share one run. Some requests fail at first, and one host is killed and restarted. */
export async function measure(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-pace-'))
  const [azurite, simulator] = await Promise.all([startAzurite(), startSimulator({ customers, ordersEach: 5 })])
  await writeFile(join(folder, 'simulator.pem'), simulator.certificate)
  const { partnerCenter } = simulator
  partnerCenter.latencyMs = 150
  for (const { id } of partnerCenter.customers.slice(40, 50))
    partnerCenter.faults.set(id, firstTimes(1, sendText(503, 'text/plain', '')))
  const env = {
    ...process.env,
    ...simulator.settings,
    AzureWebJobsStorage: azurite.connectionString,
    NODE_EXTRA_CA_CERTS: join(folder, 'simulator.pem'),
    PARTNER_CENTER_REQUESTS_PER_MINUTE: String(perMinute),
    LOCAL_QUEUE_LEASE_SECONDS: '4',
    PORT: '0',
  }
  const startHost = () =>
    runNode([`${root}local/commands/host.ts`], lines => lines.some(line => line.startsWith('Listening')), { env })
  const hosts: Running[] = [await startHost(), await startHost()]
  try {
    const api = `${hosts[0]?.lines.at(-1)?.replace('Listening on ', '')}/api`
    const started = await fetch(`${api}/snapshots`, { method: 'POST' })
    const location = started.headers.get('location') ?? ''
    await sleep(30_000)
    await hosts.pop()?.stop('SIGKILL')
    hosts.push(await startHost())
    let response = await fetch(location)
    while (response.status === 202) {
      await response.arrayBuffer()
      await sleep(200)
      response = await fetch(location)
    }
    const manifest = (await response.json()) as { startedAt: string; finishedAt: string; customers: { read: number } }
    if (manifest.customers.read !== customers) throw new Error(`Only ${manifest.customers.read} customers were read`)
    const sentAt = partnerCenter.requests.map(({ at }) => at)
    const took = Date.parse(manifest.finishedAt) - Date.parse(manifest.startedAt)
    const ideal = (sentAt.length / perMinute) * 60_000
    return [
      {
        what: `${customers} customers in 6 parts at ${perMinute} a minute, two hosts, retries and a killed host: worst sliding minute`,
        baseline: 'the pace',
        ratio: worstMinute(sentAt) / perMinute,
        target: { atMost: 1.05 },
        values: `${worstMinute(sentAt)} requests of ${sentAt.length} in all`,
      },
      {
        what: 'the same run: time from start to end',
        baseline: 'the ideal time of its requests at the pace',
        ratio: took / ideal,
        target: { atMost: 1.1 },
        values: `${(took / 1000).toFixed(1)} s against ${(ideal / 1000).toFixed(1)} s`,
      },
    ]
  } finally {
    await Promise.all(hosts.map(host => host.stop()))
    await simulator.stop()
    await azurite.stop()
    await rm(folder, { recursive: true })
  }
}
