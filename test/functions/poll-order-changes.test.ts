import { afterAll, beforeAll, expect, test } from 'vitest'
import { refuse } from '../../local/simulator/failure-cases.ts'
import { type SimulatedCustomer, sampleOrder } from '../../local/simulator/sample-data.ts'
import { type RunningApp, startApp } from '../support/running-app.ts'
import { listBlobs, openContainer, takeSnapshot as takeSnapshotOf } from '../support/snapshots.ts'

type Change = { id: string; kind: string; customerTenantId: string; orderId: string; order?: { status: string } }
type Page = { value: Change[]; cursor: string }

let app: RunningApp

beforeAll(async () => {
  app = await startApp({
    simulator: { customers: 30, ordersEach: 4 },
    settings: { PARTNER_CENTER_REQUESTS_PER_MINUTE: '60000', SNAPSHOT_CUSTOMERS_PER_PART: '10' },
  })
})
afterAll(() => app.stop())

const request = (query: Record<string, string>) => fetch(`${app.api}/order-changes?${new URLSearchParams(query)}`)
const poll = async (query: Record<string, string> = {}): Promise<Page> => {
  const response = await request(query)
  expect(response.status).toBe(200)
  return (await response.json()) as Page
}

const takeSnapshot = async (): Promise<number> => (await takeSnapshotOf(app.api)).status

const customerAt = (at: number): SimulatedCustomer => {
  const customer = app.simulator.partnerCenter.customers[at]
  if (customer === undefined) throw new Error('The sample data is too small')
  return customer
}

test('a trigger starts from now, sees each change once in pages, and keeps its cursor while nothing happens', async () => {
  const first = await poll()
  expect(first.value).toEqual([])
  expect((await poll({ cursor: first.cursor })).cursor).toBe(first.cursor)

  expect(await takeSnapshot()).toBe(200)
  expect(await poll({ cursor: first.cursor })).toMatchObject({ value: [] })

  for (const at of [3, 12, 25]) customerAt(at).orders.push(sampleOrder(customerAt(at).id, 700 + at))
  Object.assign(customerAt(7).orders[0] ?? {}, { status: 'changed' })
  customerAt(20).orders.splice(1, 1)
  expect(await takeSnapshot()).toBe(200)

  const seen: Change[] = []
  let { cursor } = first
  for (let pages = 0; pages < 5; pages++) {
    const page = await poll({ cursor, top: '2' })
    expect(page.value.length).toBeLessThanOrEqual(2)
    seen.push(...page.value)
    cursor = page.cursor
  }
  expect(seen.map(({ kind }) => kind).sort()).toEqual(['created', 'created', 'created', 'removed', 'updated'])
  expect(new Set(seen.map(({ id }) => id)).size).toBe(5)
  expect((await poll({ cursor: first.cursor })).value).toEqual(seen)

  // A failed run and a run over some customers report no changes.
  app.simulator.partnerCenter.outage = refuse(401, '900421', 'MFA required.')
  expect(await takeSnapshot()).toBe(424)
  app.simulator.partnerCenter.outage = undefined
  customerAt(2).orders.push(sampleOrder(customerAt(2).id, 800))
  await fetch(`${app.api}/snapshots`, {
    method: 'POST',
    body: JSON.stringify({ customerTenantIds: [customerAt(2).id] }),
  })
  expect(await poll({ cursor })).toEqual({ value: [], cursor })
})

test('a filter excludes other changes, and is part of the cursor', async () => {
  const start = await poll({ kind: 'created' })
  const elsewhere = await poll({ customerTenantId: customerAt(5).id })
  customerAt(5).orders.push(sampleOrder(customerAt(5).id, 900))
  customerAt(6).orders.push(sampleOrder(customerAt(6).id, 901))
  customerAt(6).orders.splice(0, 1)
  while ((await takeSnapshot()) === 409) await new Promise(resolve => setTimeout(resolve, 100))

  const created = await poll({ kind: 'Created', cursor: start.cursor })
  expect(created.value.map(({ orderId }) => orderId)).toEqual(
    expect.arrayContaining([sampleOrder(customerAt(5).id, 900).id, sampleOrder(customerAt(6).id, 901).id]),
  )
  expect(new Set(created.value.map(({ kind }) => kind))).toEqual(new Set(['created']))
  const one = await poll({ customerTenantId: customerAt(5).id.toUpperCase(), cursor: elsewhere.cursor })
  expect(one.value.map(({ customerTenantId }) => customerTenantId)).toEqual([customerAt(5).id])
  const misplaced = await request({ kind: 'removed', cursor: start.cursor })
  expect(misplaced.status).toBe(400)
  expect(await misplaced.json()).toMatchObject({ error: { target: 'cursor' } })
  expect((await request({ kind: 'vanished' })).status).toBe(400)
})

test.each(['created', 'updated', 'removed', 'gone', 'created/more'])('there is no order-changes/%s', async rest => {
  const response = await fetch(`${app.api}/order-changes/${rest}`)
  expect(response.status).toBe(404)
  expect(await response.json()).toMatchObject({ error: { code: 'route_not_found' } })
})

test('a cursor of a deleted snapshot gives 410 and a new cursor', async () => {
  const { cursor } = await poll()
  const container = openContainer(app.storage)
  for (const name of await listBlobs(container, 'snapshots/')) await container.deleteBlob(name)
  const response = await request({ cursor })
  const { error } = (await response.json()) as { error: { code: string; details: { message: string }[] } }

  expect(response.status).toBe(410)
  expect(error.code).toBe('cursor_expired')
  expect(await poll({ cursor: error.details[0]?.message ?? '' })).toMatchObject({ value: [] })
})
