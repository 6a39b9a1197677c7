import { isDeepStrictEqual } from 'node:util'

/** A change of one order between two readings of its customer. */
export type OrderChange =
  | { kind: 'created'; orderId: string; order: Buffer }
  | { kind: 'updated'; orderId: string; changedMembers: string[]; order: Buffer; previousOrder: Buffer }
  | { kind: 'removed'; orderId: string; previousOrder: Buffer }

type Order = Record<string, unknown>

/**
 * Members that are no part of the order itself: links, and attributes with an etag that the documentation calls
 * temporary (learn.microsoft.com/partner-center/developer/order-resources).
 */
const passedOver = new Set(['links', 'attributes'])

const parse = (json: Buffer): Order => JSON.parse(json.toString('utf8')) as Order

const idOf = (order: Order): string =>
  typeof order.id === 'string' || typeof order.id === 'number' ? String(order.id) : ''

/** The names of the members that differ, sorted. */
export function changedMembers(previous: Order, present: Order): string[] {
  const names = new Set([...Object.keys(previous), ...Object.keys(present)])
  return [...names].filter(name => !passedOver.has(name) && !isDeepStrictEqual(previous[name], present[name])).sort()
}

/**
 * The changes from one reading to the next: created and updated orders in their new form, then removed orders in their
 * old form.
 */
export function compareOrders(previous: readonly Buffer[], present: readonly Buffer[]): OrderChange[] {
  const before = new Map(previous.map(json => [idOf(parse(json)), json]))
  const changes: OrderChange[] = []
  for (const json of present) {
    const order = parse(json)
    const orderId = idOf(order)
    const previousOrder = before.get(orderId)
    before.delete(orderId)
    if (previousOrder === undefined) {
      changes.push({ kind: 'created', orderId, order: json })
    } else if (!previousOrder.equals(json)) {
      const names = changedMembers(parse(previousOrder), order)
      if (names.length > 0)
        changes.push({ kind: 'updated', orderId, changedMembers: names, order: json, previousOrder })
    }
  }
  for (const [orderId, previousOrder] of before) changes.push({ kind: 'removed', orderId, previousOrder })
  return changes
}
