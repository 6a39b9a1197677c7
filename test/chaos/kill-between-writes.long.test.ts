import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Azurite, startAzurite } from '../../local/processes/azurite.ts'
import type { Running } from '../../local/processes/run-node.ts'
import { type Simulator, startSimulator } from '../../local/simulator/simulator.ts'
import type { Manifest } from '../../shared/snapshots/storage/shapes.ts'
import { type KillingProxy, type Moment, startKillingProxy } from '../support/killing-proxy.ts'
import { listeningUrl, startHostProcess } from '../support/running-app.ts'
import { openContainer, readJson, readRows, type SnapshotRow } from '../support/snapshots.ts'

const customers = 6
const sleep = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds))

let azurite: Azurite
let simulator: Simulator
let proxy: KillingProxy
let settings: Record<string, string>
/** The first host uses storage through the proxy, and is the one that dies. The second continues. */
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

/** Takes a snapshot in which the first host dies at a write. Returns false if the first host did not make that write. */
async function snapshotWithKill(name: string, address: RegExp, moment: Moment): Promise<boolean> {
  const [first, second] = hosts
  proxy.arm(address, moment, () => first.stop('SIGKILL'))
  const api = `${listeningUrl(second)}/api`
  const started = await fetch(`${api}/snapshots`, { method: 'POST' })
  expect(started.status).toBe(202)
  const { snapshotId } = (await started.json()) as { snapshotId: string }
  const status = async () => (await fetch(`${api}/snapshots/${snapshotId}`)).status
  while ((await status()) === 202) await sleep(50)

  const where = `killed ${moment} the write of ${name}`
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
  const isDead = await proxy.disarm()
  if (isDead) hosts = [await startFirst(), second]
  return isDead
}

/** The writes of a run, except those of the rate limiter, and the pattern of their addresses. */
const writes: Record<string, RegExp> = {
  'the plan': /\/_plan\.json/,
  'a block of the orders': /\/snapshots\/.*\/part-[^?]*\?.*comp=block(&|$)/,
  'the orders of a part': /\/snapshots\/.*\/part-[^?]*\?.*comp=blocklist/,
  'an index': /\/_index-[^?]*\?.*comp=blocklist/,
  'the changes of a part': /\/changes\/[^?]*\?.*comp=blocklist/,
  'the order lines of a part': /\/lines\/[^?]*\?.*comp=blocklist/,
  'the manifest': /\/_manifest\.json/,
  'latest.json': /\/latest\.json/,
  'current.json': /\/current\.json/,
}

/** Which host makes a write is random. Each makes about half of them. */
const mostTries = 20

test.each(
  Object.entries(writes).flatMap(([name, address]) =>
    (['before', 'after'] as const).map(moment => ({ name, address, moment })),
  ),
)(
  'a run ends complete and the next one starts if one of two hosts dies $moment the write of $name',
  async ({ name, address, moment }) => {
    let tries = 1
    while (!(await snapshotWithKill(name, address, moment))) expect(tries++).toBeLessThan(mostTries)
  },
)
