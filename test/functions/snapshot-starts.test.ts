import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { caseId, firstTimes, refuse, throttle } from '../../local/simulator/failure-cases.ts'
import type { Manifest, Snapshot } from '../../shared/snapshots/storage/shapes.ts'
import { type RunningApp, startApp } from '../support/running-app.ts'
import {
  listBlobs,
  openContainer,
  readJson,
  readRows,
  type SnapshotRow,
  takeSnapshot as takeSnapshotOf,
} from '../support/snapshots.ts'

/** The number of customers whose first request is throttled. */
const throttled = 5

let app: RunningApp

beforeAll(async () => {
  app = await startApp({
    simulator: { customers: 1200, ordersEach: 3 },
    settings: { PARTNER_CENTER_REQUESTS_PER_MINUTE: '60000', PARTNER_CENTER_CONCURRENCY: '10' },
    prepare: ({ partnerCenter }) => {
      partnerCenter.latencyMs = 2
      const ids = partnerCenter.customers.map(({ id }) => id)
      const slow = (milliseconds: number) => (_: unknown, proceed: () => void) => void setTimeout(proceed, milliseconds)
      for (const id of ids.slice(10, 20)) partnerCenter.faults.set(id, refuse(403, '20002', 'No relationship.'))
      for (const id of ids.slice(20, 20 + throttled)) partnerCenter.faults.set(id, firstTimes(1, throttle(1)))
      for (const id of ids.slice(25, 35)) partnerCenter.faults.set(id, slow(300))
    },
  })
})
afterAll(() => app.stop())

const container = () => openContainer(app.storage)
const get = async <T>(path: string) => (await (await fetch(app.api + path)).json()) as T
const start = (body?: unknown) =>
  fetch(`${app.api}/snapshots`, { method: 'POST', ...(body === undefined ? {} : { body: JSON.stringify(body) }) })

const takeSnapshot = (body?: unknown) => takeSnapshotOf(app.api, body)

describe('starting a run', () => {
  test('eight simultaneous starts give one 202 and seven 409 with the address of the run', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => start()))
    const statuses = answers.map(({ status }) => status).sort()
    expect(statuses).toEqual([202, 409, 409, 409, 409, 409, 409, 409])
    expect(new Set(answers.map(({ headers }) => headers.get('location'))).size).toBe(1)
    const refused = answers.find(({ status }) => status === 409)
    expect(await refused?.json()).toMatchObject({ error: { code: 'snapshot_running' }, retryable: false })
    const before = app.simulator.partnerCenter.requests.length
    const location = answers[0]?.headers.get('location') ?? ''
    while ((await fetch(location)).status === 202) await new Promise(resolve => setTimeout(resolve, 50))
    const reads = app.simulator.partnerCenter.requests.slice(before).filter(({ path }) => path.endsWith('/orders'))
    // Each customer once, and again those that are throttled at first.
    expect(reads.length).toBeLessThanOrEqual(app.simulator.partnerCenter.customers.length + throttled)
  })

  test('starting a run over some customers reads only them, moves no latest.json and writes no changes', async () => {
    const latest = await readJson(container(), 'latest.json')
    const ids = app.simulator.partnerCenter.customers.slice(300, 303).map(({ id }) => id)
    const manifest = (await (
      await takeSnapshot({ customerTenantIds: [...ids, ids[0]?.toUpperCase()] })
    ).json()) as Manifest

    expect(manifest).toMatchObject({ status: 'succeeded', customers: { planned: 3, read: 3, failed: 0 } })
    expect(await readJson(container(), 'latest.json')).toEqual(latest)
    expect(await listBlobs(container(), manifest.path.replace('snapshots/', 'changes/'))).toEqual([])
    const rows = await readRows<SnapshotRow>(container(), `${manifest.path}/part-`)
    expect([...new Set(rows.map(({ customerTenantId }) => customerTenantId))]).toEqual([...ids].sort())
    expect(rows[0]?.customerName).not.toBe('')
  })

  test.each([
    [{ customerTenantIds: ['nope'] }, 'customerTenantIds'],
    [{ customerTenantIds: 'b0d70a69-4c42-4b27-b17b-91a835d8686a' }, 'customerTenantIds'],
    [{ customerTenantIds: [caseId(60003)] }, 'customerTenantIds'],
    [{ customerTenantIds: Array.from({ length: 101 }, (_, at) => caseId(at)) }, 'customerTenantIds'],
    [{ customers: [] }, 'customers'],
    [{ failedOf: 'oldest' }, 'failedOf'],
    [{ failedOf: 'latest', customerTenantIds: [caseId(1)] }, 'failedOf'],
  ])('starting with %j gives 400 and starts nothing', async (body, target) => {
    const before = await get<{ value: unknown[] }>('/snapshots')
    const response = await start(body)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: 'invalid_request', target } })
    expect(await get('/snapshots')).toEqual(before)
  })

  test('starting by the timer, twice, takes one snapshot', async () => {
    const count = (await get<{ value: Snapshot[] }>('/snapshots')).value.length
    await Promise.all([1, 2].map(() => fetch(`${app.url}/admin/functions/snapshot-orders`, { method: 'POST' })))
    const running = async () => (await get<{ value: Snapshot[] }>('/snapshots')).value
    while ((await running()).length === count || (await running())[0]?.status === 'running')
      await new Promise(resolve => setTimeout(resolve, 100))
    const after = await running()
    expect(after).toHaveLength(count + 1)
    expect(after[0]?.trigger).toBe('timer')
  })
})
