import { afterAll, beforeAll, expect, test } from 'vitest'
import { refuse } from '../../local/simulator/failure-cases.ts'
import { type SimulatedCustomer, sampleOrder } from '../../local/simulator/sample-data.ts'
import { type RunningApp, startApp } from '../support/running-app.ts'
import { takeSnapshot } from '../support/snapshots.ts'

type Change = { kind: string; customerTenantId: string; orderId: string; snapshotId: string }
type Page = { value: Change[]; cursor: string }
type Health = { status: string; following: { status: string; lagMinutes?: number; error?: { code: string } } }

let app: RunningApp

beforeAll(async () => {
  app = await startApp({
    simulator: { customers: 30, ordersEach: 4 },
    settings: {
      PARTNER_CENTER_REQUESTS_PER_MINUTE: '60000',
      SNAPSHOT_CUSTOMERS_PER_PART: '10',
      // Ticks come only when the test requests one.
      FOLLOW_SCHEDULE: '0 0 0 1 1 *',
    },
  })
})
afterAll(() => app.stop())

const get = async <T>(path: string): Promise<T> => (await fetch(`${app.api}/${path}`)).json() as Promise<T>
const customerAt = (at: number): SimulatedCustomer => {
  const customer = app.simulator.partnerCenter.customers[at]
  if (customer === undefined) throw new Error('The sample data is too small')
  return customer
}
const eventsOf = (event: string) => app.events().filter(each => each.event === event)

/** Waits until the host has logged one more event. */
async function until(event: string, before: number): Promise<void> {
  while (eventsOf(event).length <= before) await new Promise(resolve => setTimeout(resolve, 50))
}

/** Fires the timer and waits for its end, and for the end of the run that it started. */
async function tick(event = 'orders_followed'): Promise<void> {
  const [looks, runs] = [eventsOf(event).length, eventsOf('following_succeeded').length]
  // A timer that has not quite ended does not start again.
  while (eventsOf(event).length === looks) {
    await fetch(`${app.url}/admin/functions/follow-orders`, { method: 'POST' })
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  if (Number(eventsOf(event).at(-1)?.changed ?? 0) > 0) await until('following_succeeded', runs)
}

test('a new order reaches a polling client within two ticks, and no snapshot reports it again', async () => {
  expect((await takeSnapshot(app.api)).status).toBe(200)
  const { cursor } = await get<Page>('order-changes')
  expect(await get<Health>('health/details')).toMatchObject({ following: { status: 'waiting' } })

  const customer = customerAt(7)
  const order = sampleOrder(customer.id, 900)
  customer.orders.push(order)
  app.simulator.partnerCenter.activity.note('created', customer, order, Date.now())
  await tick()
  await tick()

  const { value } = await get<Page>(`order-changes?cursor=${cursor}`)
  expect(value).toMatchObject([{ kind: 'created', customerTenantId: customer.id, orderId: order.id }])
  const today = new Date().toISOString().slice(0, 10)
  const { items } = await get<{ items: { id: string }[] }>(`customers/${customer.id}/orders?asOf=${today}`)
  expect(items.map(({ id }) => id)).toContain(order.id)
  expect(await get(`snapshots/${value[0]?.snapshotId}`)).toMatchObject({ status: 'succeeded', trigger: 'timer' })
  const { status, following } = await get<Health>('health/details')
  expect({ status, following }).toMatchObject({ status: 'ok', following: { status: 'ok', lagMinutes: 0 } })

  expect(await (await takeSnapshot(app.api)).json()).toMatchObject({ changes: { created: 0 }, missedByFollowing: 0 })
  expect((await get<Page>(`order-changes?cursor=${cursor}`)).value).toHaveLength(1)
})

test('a refused activity log shows in health, and everything else works', async () => {
  app.simulator.partnerCenter.activityFault = refuse(403, '2032', 'The role is insufficient.')
  await tick('following_stopped')
  expect(await get<Health>('health/details')).toMatchObject({
    status: 'degraded',
    following: { status: 'failing', error: { code: 'partner_center_forbidden' } },
  })
  expect((await takeSnapshot(app.api)).status).toBe(200)
  app.simulator.partnerCenter.activityFault = undefined
  await tick()
  expect(await get<Health>('health/details')).toMatchObject({ status: 'ok', following: { status: 'ok' } })
})

test('customers that failed in the newest snapshot are read again, and their changes are reported', async () => {
  const customer = customerAt(4)
  app.simulator.partnerCenter.faults.set(customer.id, refuse(400, '3000', 'Broken.'))
  expect(await (await takeSnapshot(app.api)).json()).toMatchObject({ customers: { failed: 1 } })
  const { cursor } = await get<Page>('order-changes')
  app.simulator.partnerCenter.faults.delete(customer.id)
  customer.orders.push(sampleOrder(customer.id, 901))
  const again = await takeSnapshot(app.api, { failedOf: 'latest' })
  expect(await again.json()).toMatchObject({ status: 'succeeded', customers: { planned: 1, read: 1, failed: 0 } })
  const { value } = await get<Page>(`order-changes?cursor=${cursor}`)
  expect(value).toMatchObject([{ kind: 'created', customerTenantId: customer.id }])
})
