import { afterEach, expect, test } from 'vitest'
import { createLiveOrders } from '../../../local/simulator/live-orders.ts'
import { type Simulator, startSimulator } from '../../../local/simulator/simulator.ts'
import { createReadLog } from '../../../shared/following/read-log.ts'
import { createOperation } from '../../support/operations.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

const now = Date.UTC(2026, 10, 20, 12)

/** A simulator, and the log as the app reads it. */
async function start() {
  const simulator = await startSimulator({ now: () => now, customers: 5 })
  ends.push(simulator.stop)
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: simulator.entra.clientId,
    client_secret: 'simulated-client-secret~for.this-machine',
    scope: 'https://api.partnercenter.microsoft.com/.default',
  })
  const token = await fetch(`${simulator.plainUrl}/${simulator.entra.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: form,
  })
  const { access_token } = (await token.json()) as { access_token: string }
  const statuses: number[] = []
  const readLog = createReadLog(async ({ path, headers }) => {
    const answer = await fetch(simulator.plainUrl + path, {
      headers: { ...headers, authorization: `Bearer ${access_token}` },
    })
    statuses.push(answer.status)
    return { status: answer.status, headers: {}, body: Buffer.from(await answer.arrayBuffer()) }
  }, simulator.plainUrl)
  return { simulator, readLog, statuses }
}

const live = ({ partnerCenter: { customers, activity } }: Simulator) =>
  createLiveOrders({ customers, everySeconds: 20, activity })

test('the log has the created and changed live orders, page by page, and not the removed ones', async () => {
  const { simulator, readLog, statuses } = await start()
  simulator.partnerCenter.activity.recordsPerPage = 10
  const orders = live(simulator)
  for (let number = 0; number < 40; number++) orders.change(now - 60_000 + number)
  const { news } = await readLog(now - 60_000, createOperation())
  const told = orders.changes.filter(({ kind }) => kind !== 'removed')
  expect([...news.keys()].sort()).toEqual([...new Set(told.map(({ customerTenantId }) => customerTenantId))].sort())
  expect([...news.values()].reduce((sum, { at }) => sum + at.length, 0)).toBe(told.length)
  expect(statuses).toEqual(Array.from({ length: Math.ceil(told.length / 10) }, () => 200))
})

test('a record has the order as PascalCase JSON text, with null for missing values', async () => {
  const { simulator } = await start()
  const [customer] = simulator.partnerCenter.customers.filter(({ orders }) => orders.length > 0)
  const [order] = customer?.orders ?? []
  if (customer === undefined || order === undefined) throw new Error('There is no order')
  const record = simulator.partnerCenter.activity.note('created', customer, order, now)
  const value = JSON.parse(String(record.resourceNewValue))
  expect(value).toMatchObject({ Id: order.id, ReferenceCustomerId: customer.id, BillingCycle: order.billingCycle })
  expect(record.operationDate).toBe('2026-11-20T12:00:00.0000000Z')
  expect(record.customizedData).toContainEqual({ key: 'PartnerOnRecord-0', value: null })
})

test('the log returns 400 for more than 90 days back', async () => {
  const { simulator, statuses, readLog } = await start()
  live(simulator).change(now)
  await readLog(now - 95 * 86_400_000, createOperation()).catch(() => undefined)
  expect(statuses).toEqual([400])
})
