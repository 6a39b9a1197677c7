import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Azurite, startAzurite } from '../../local/processes/azurite.ts'
import type { Running } from '../../local/processes/run-node.ts'
import { seededRandom } from '../../local/simulator/sample-data.ts'
import { type Simulator, startSimulator } from '../../local/simulator/simulator.ts'
import type { Manifest } from '../../shared/snapshots/storage/shapes.ts'
import { listeningUrl, startHostProcess } from '../support/running-app.ts'
import { openContainer, readJson, readRows, type SnapshotRow } from '../support/snapshots.ts'

const rounds = 7
/** Fewer than the deliveries of a message, so that a message is not lost through kills alone. */
const killsEach = 3
const sleep = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds))

let azurite: Azurite
let simulator: Simulator
let host: Running | undefined
let settings: Record<string, string>

beforeAll(async () => {
  azurite = await startAzurite()
  simulator = await startSimulator({ customers: 200, ordersEach: 3 })
  simulator.partnerCenter.latencyMs = 20
  const certificate = join(await mkdtemp(join(tmpdir(), 'kill-')), 'simulator.pem')
  await writeFile(certificate, simulator.certificate)
  settings = {
    ...simulator.settings,
    AzureWebJobsStorage: azurite.connectionString,
    NODE_EXTRA_CA_CERTS: certificate,
    PARTNER_CENTER_REQUESTS_PER_MINUTE: '60000',
    SNAPSHOT_CUSTOMERS_PER_PART: '10',
    LOCAL_QUEUE_LEASE_SECONDS: '2',
  }
})
afterAll(async () => {
  await host?.stop()
  await simulator.stop()
  await azurite.stop()
})

/** Starts the host if it is down, and returns the address of its functions. */
async function api(): Promise<string> {
  host ??= await startHostProcess(settings)
  return `${listeningUrl(host)}/api`
}

async function kill(): Promise<void> {
  await host?.stop('SIGKILL')
  host = undefined
}

test(`a run contains every order once after kills at ${rounds * killsEach} random points`, {
  timeout: 240_000,
}, async () => {
  const seed = String(Date.now())
  const random = seededRandom(seed)
  const { customers } = simulator.partnerCenter
  const expected = customers.flatMap(({ id, orders }) => orders.map(order => `${id} ${order.id}`)).sort()
  const container = openContainer(azurite.connectionString)

  for (let round = 0; round < rounds; round++) {
    const started = await fetch(`${await api()}/snapshots`, { method: 'POST' })
    expect(started.status, `seed ${seed}`).toBe(202)
    const { snapshotId } = (await started.json()) as { snapshotId: string }
    for (let kills = 0; kills < killsEach; kills++) {
      await sleep(random() * 1500)
      await kill()
      await api()
    }
    const status = async () => (await fetch(`${await api()}/snapshots/${snapshotId}`)).status
    while ((await status()) === 202) await sleep(100)

    expect(await status(), `seed ${seed}, round ${round}`).toBe(200)
    const path = `snapshots/date=${snapshotId.replace(/^(\d{4})(\d\d)(\d\d)T.*/, '$1-$2-$3')}/run=${snapshotId}`
    const manifest = await readJson<Manifest>(container, `${path}/_manifest.json`)
    expect(manifest).toMatchObject({
      status: 'succeeded',
      customers: { planned: 200, read: 200, failed: 0 },
      orders: expected.length,
    })
    expect(manifest.changes).toEqual({ created: 0, updated: 0, removed: 0 })
    const rows = await readRows<SnapshotRow>(container, `${path}/part-`)
    expect(rows.map(({ customerTenantId, order }) => `${customerTenantId} ${order.id}`).sort()).toEqual(expected)
    // If the kill was between the manifest and this blob, the next delivery of the message writes it.
    await expect.poll(() => readJson(container, 'latest.json'), { timeout: 10_000 }).toMatchObject({ snapshotId })
  }
})
