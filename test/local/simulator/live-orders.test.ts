import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createLiveOrders } from '../../../local/simulator/live-orders.ts'
import { documentedCustomerId, sampleCustomers } from '../../../local/simulator/sample-data.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const at = Date.UTC(2026, 10, 20)

function make(everySeconds = 20) {
  const customers = sampleCustomers({ customers: 10 })
  const told: string[] = []
  const orders = createLiveOrders({ customers, everySeconds, onChange: ({ kind }) => told.push(kind) })
  return { customers, orders, told }
}

test('the same changes come at each start, whenever they are made', () => {
  const [a, b] = [make(), make()]
  for (let number = 0; number < 60; number++) {
    a.orders.change(at)
    b.orders.change(at + number)
  }
  const content = ({ orders }: typeof a) => orders.changes.map(({ at: _, ...change }) => change)
  expect(content(a)).toEqual(content(b))
  expect(new Set(a.orders.changes.map(({ kind }) => kind))).toEqual(new Set(['created', 'updated', 'removed']))
})

test('each change shows in the orders of its customer, and the documented customer has none', () => {
  const { customers, orders } = make()
  const documented = JSON.stringify(customers[0])
  for (let number = 0; number < 60; number++) {
    const before = new Map(
      customers.map(({ id, orders: list }) => [id, new Map(list.map(order => [order.id, JSON.stringify(order)]))]),
    )
    const { kind, customerTenantId, orderId } = orders.change(at)
    const now = customers.find(({ id }) => id === customerTenantId)?.orders.find(({ id }) => id === orderId)
    const then = before.get(customerTenantId)?.get(orderId)
    expect(customerTenantId).not.toBe(documentedCustomerId)
    expect([then === undefined, now === undefined]).toEqual([kind === 'created', kind === 'removed'])
    if (kind === 'updated') expect(JSON.stringify(now)).not.toBe(then)
    if (kind === 'created') expect(now?.creationDate).toBe('2026-11-20T00:00:00.000Z')
  }
  expect(JSON.stringify(customers[0])).toBe(documented)
})

test('live orders come only while they are switched on', () => {
  const { orders, told } = make(20)
  vi.advanceTimersByTime(100_000)
  expect(orders.changes).toEqual([])
  orders.setOn(true)
  vi.advanceTimersByTime(61_000)
  expect([orders.isOn(), orders.changes.length, told.length]).toEqual([true, 3, 3])
  orders.setOn(true)
  orders.setOn(false)
  vi.advanceTimersByTime(61_000)
  expect([orders.isOn(), orders.changes.length]).toEqual([false, 3])
})
