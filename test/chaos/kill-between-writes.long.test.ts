import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Azurite, startAzurite } from '../../local/processes/azurite.ts'
import type { Running } from '../../local/processes/run-node.ts'
import { type Simulator, startSimulator } from '../../local/simulator/simulator.ts'
import type { Manifest } from '../../shared/snapshots/storage/shapes.ts'
import { recordFigures } from '../reliability/figures.ts'
import { type KillingProxy, type Moment, startKillingProxy } from '../support/killing-proxy.ts'
import { listeningUrl, startHostProcess } from '../support/running-app.ts'
import { openContainer, readJson, readRows, type SnapshotRow } from '../support/snapshots.ts'

const customers = 6
const sleep = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds))

let azurite: Azurite
let simulator: Simulator
let proxy: KillingProxy
let settings: Record<string, string>
/** The first host reaches storage through the proxy and is the one that dies; the second goes on. */
let hosts: [Running, Running]

const startFirst = () => {
  const port = Number(new URL(azurite.blobUrl).port)
  const storage = azurite.connectionString.replace(`:${port}/`, `:${proxy.port}/`)
  return startHostProcess({ ...settings, AzureWebJobsStorage: storage })
}

beforeAll(async () => {
  azurite = await startAzurite()
  simulator = await startSimulator({ customers, ordersEach: 3 })
  proxy = await startKillingProxy(Number(new URL(azurite.blobUrl).port))
  const certificate = join(await mkdtemp(join(tmpdir(), 'kill-')), 'simulator.pem')
  await writeFile(certificate, simulator.certificate)
  settings = {
    ...simulator.settings,
    NODE_EXTRA_CA_CERTS: certificate,
    PARTNER_CENTER_REQUESTS_PER_MINUTE: '60000',
    SNAPSHOT_CUSTOMERS_PER_PART: '3',
    LOCAL_QUEUE_LEASE_SECONDS: '2',
  }
  const second = await startHostProcess({ ...settings, AzureWebJobsStorage: azurite.connectionString })
  hosts = [await startFirst(), second]
})
afterAll(async () => {
  await Promise.all(hosts.map(host => host.stop()))
  proxy.stop()
  await simulator.stop()
  await azurite.stop()
})

/** Takes a snapshot in which the first host dies at a write; returns that write, or nothing if it made fewer. */
async function snapshotWithKill(write: number, moment: Moment): Promise<string | undefined> {
  const [first, second] = hosts
  let dead: Promise<void> | undefined
  proxy.arm(write, moment, async () => {
    dead = first.stop('SIGKILL')
    await dead
  })
  const api = `${listeningUrl(second)}/api`
  const started = await fetch(`${api}/snapshots`, { method: 'POST' })
  expect(started.status).toBe(202)
  const { snapshotId } = (await started.json()) as { snapshotId: string }
  const status = async () => (await fetch(`${api}/snapshots/${snapshotId}`)).status
  while ((await status()) === 202) await sleep(50)

  const where = `killed ${moment} ${proxy.struck() ?? 'nothing'}`
  expect(await status(), where).toBe(200)
  const container = openContainer(azurite.connectionString)
  const path = `snapshots/date=${snapshotId.replace(/^(\d{4})(\d\d)(\d\d)T.*/, '$1-$2-$3')}/run=${snapshotId}`
  const manifest = await readJson<Manifest>(container, `${path}/_manifest.json`)
  const nothing = { created: 0, updated: 0, removed: 0 }
  expect(manifest, where).toMatchObject({ status: 'succeeded', customers: { read: customers }, changes: nothing })
  const rows = await readRows<SnapshotRow>(container, `${path}/part-`)
  const expected = simulator.partnerCenter.customers.flatMap(({ id, orders }) =>
    orders.map(order => `${id} ${order.id}`),
  )
  const read = rows.map(({ customerTenantId, order }) => `${customerTenantId} ${order.id}`)
  expect(read.sort(), where).toEqual(expected.sort())
  await expect.poll(() => readJson(container, 'latest.json'), { timeout: 20_000 }).toMatchObject({ snapshotId })
  await expect
    .poll(() => readJson(container, 'current.json'), { timeout: 20_000 })
    .toMatchObject({ snapshotId, ended: 'succeeded' })
  await dead
  if (dead !== undefined) hosts = [await startFirst(), second]
  return proxy.struck()
}

test('one of two hosts may die at any write of a run: it ends whole, and the next one starts', async () => {
  const writes = new Set<string>()
  let runs = 0
  let killed = 0
  // Which host does what is chance: a few runs without a kill are none too many.
  for (const moment of ['before', 'after'] as const) {
    for (let write = 1; write <= 16; write++) {
      const struck = await snapshotWithKill(write, moment)
      runs++
      if (struck !== undefined) killed++
      const kind = struck?.replace(/^.*\/(current|latest|pace|_plan|_index|_manifest|part).*$/, '$1') ?? 'none'
      writes.add(struck?.includes('/changes/') ? 'changes' : kind)
    }
  }
  console.log(`Killed at the writes of ${[...writes].join(', ')}`)
  expect(writes.size).toBeGreaterThan(4)
  recordFigures('kills', { runs, killed, writes: [...writes].filter(kind => kind !== 'none').sort() })
})
