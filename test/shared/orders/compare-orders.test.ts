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
  test('comparing two readings gives exactly the changes that convert the first to the second', () => {
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

  test('comparing the same orders in another order or spelling gives no changes', () => {
    const before = [Buffer.from('{"id":"a","x":{"p":1,"q":2}}'), Buffer.from('{"id":"b"}')]
    const after = [Buffer.from('{"id":"b"}'), Buffer.from('{"x":{"q":2,"p":1.0},"id":"a"}')]
    expect(compareOrders(before, after)).toEqual([])
  })

  test('comparing two readings ignores links and attributes', () => {
    expect(
      changedMembers({ id: 'a', links: 1, attributes: { etag: 'x' } }, { id: 'a', attributes: { etag: 'y' } }),
    ).toEqual([])
    expect(
      changedMembers({ id: 'a', status: 'pending', lineItems: [1] }, { id: 'a', status: 'completed', totalPrice: 1 }),
    ).toEqual(['lineItems', 'status', 'totalPrice'])
  })
})
