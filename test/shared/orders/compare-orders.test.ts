import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { changedMembers, compareOrders } from '../../../shared/orders/compare-orders.ts'

type Order = { id: string; status: string; quantity: number; links?: unknown }

const orders = fc.uniqueArray(
  fc.record({
    id: fc.constantFrom<string>('a', 'b', 'c', 'd', 'e'),
    status: fc.constantFrom<string>('completed', 'pending'),
    quantity: fc.nat(2),
  }),
  { selector: ({ id }) => id },
)
const toBytes = (list: readonly Order[]) => list.map(order => Buffer.from(JSON.stringify(order)))

describe('comparing two readings of a customer', () => {
  test('comparing two readings of a customer gives changes that turn the first into the second, and none besides', () => {
    fc.assert(
      fc.property(orders, orders, (before, after) => {
        const changes = compareOrders(toBytes(before), toBytes(after))
        const state = new Map(before.map(order => [order.id, order]))
        for (const change of changes) {
          if (change.kind === 'created') expect(state.has(change.orderId)).toBe(false)
          else expect(JSON.parse(change.previousOrder.toString())).toEqual(state.get(change.orderId))
          if (change.kind === 'removed') state.delete(change.orderId)
          else state.set(change.orderId, JSON.parse(change.order.toString()) as Order)
          if (change.kind === 'updated') expect(change.changedMembers.length).toBeGreaterThan(0)
        }
        expect(state).toEqual(new Map(after.map(order => [order.id, order])))
        expect(new Set(changes.map(({ orderId }) => orderId)).size).toBe(changes.length)
      }),
      { numRuns: 2000 },
    )
  })

  test('comparing two readings of a customer of the same orders in another order or spelling finds nothing', () => {
    const before = [Buffer.from('{"id":"a","x":{"p":1,"q":2}}'), Buffer.from('{"id":"b"}')]
    const after = [Buffer.from('{"id":"b"}'), Buffer.from('{"x":{"q":2,"p":1.0},"id":"a"}')]
    expect(compareOrders(before, after)).toEqual([])
  })

  test('comparing two readings of a customer passes over links and attributes, which say nothing of the order', () => {
    expect(
      changedMembers({ id: 'a', links: 1, attributes: { etag: 'x' } }, { id: 'a', attributes: { etag: 'y' } }),
    ).toEqual([])
    expect(
      changedMembers({ id: 'a', status: 'pending', lineItems: [1] }, { id: 'a', status: 'completed', totalPrice: 1 }),
    ).toEqual(['lineItems', 'status', 'totalPrice'])
  })
})
