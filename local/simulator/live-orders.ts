import type { ActivityLog } from './activity-log.ts'
import {
  documentedCustomerId,
  type SimulatedCustomer,
  type SimulatedOrder,
  sampleOrder,
  seededRandom,
} from './sample-data.ts'

export type OrderChange = {
  /** Milliseconds since 1970 UTC. */
  at: number
  kind: 'created' | 'updated' | 'removed'
  customerTenantId: string
  companyName: string
  orderId: string
}

/** Orders that change during a session. The changes are the same at each start, and only their times differ. */
export type LiveOrders = {
  /** All changes so far, the oldest first. */
  changes: readonly OrderChange[]
  /** Seconds between two changes. */
  everySeconds: number
  isOn: () => boolean
  setOn: (isOn: boolean) => void
  /** Makes the next change. */
  change: (at?: number) => OrderChange
}

type Options = {
  customers: readonly SimulatedCustomer[]
  everySeconds: number
  /** Records orders that are created or changed, like Partner Center's own log. */
  activity?: ActivityLog
  onChange?: (change: OrderChange) => void
}

/** Limits the memory of a host that runs for a week. It is enough for a day and a half at the usual rate. */
const mostChanges = 5_000

/** The first number of a new order, after those of the sample data. */
const firstNumber = 1_000

export function createLiveOrders({ customers, everySeconds, activity, onChange }: Options): LiveOrders {
  const changes: OrderChange[] = []
  // The documented customer keeps its documented orders. Customers that are added to the list later do not change.
  const changing = customers.filter(({ id }) => id !== documentedCustomerId)
  let timer: NodeJS.Timeout | undefined

  function change(at = Date.now()): OrderChange {
    const number = changes.length
    const random = seededRandom(`change ${number}`)
    const customer = changing[Math.floor(random() * changing.length)]
    if (customer === undefined) throw new Error('There is no customer whose orders could change.')
    const { orders } = customer
    const chance = random()
    const index = Math.floor(random() * orders.length)
    const present = orders[index]
    const kind = chance < 0.6 || present === undefined ? 'created' : chance < 0.9 ? 'updated' : 'removed'
    const order =
      kind === 'created' || present === undefined
        ? { ...sampleOrder(customer.id, firstNumber + number), creationDate: new Date(at).toISOString() }
        : present
    if (kind === 'created') orders.push(order)
    else if (kind === 'updated') orders[index] = changed(order, 1 + Math.floor(random() * 5))
    else orders.splice(index, 1)
    const now = orders.find(({ id }) => id === order.id)
    if (kind !== 'removed' && now !== undefined) activity?.note(kind, customer, now, at)
    const made = {
      at,
      kind,
      customerTenantId: customer.id,
      companyName: customer.companyName,
      orderId: order.id,
    } as const
    changes.push(made)
    return made
  }

  function setOn(isOn: boolean): void {
    clearInterval(timer)
    timer = undefined
    if (!isOn) return
    timer = setInterval(() => {
      if (changes.length < mostChanges) onChange?.(change())
    }, everySeconds * 1000)
    timer.unref()
  }

  return { changes, everySeconds, isOn: () => timer !== undefined, setOn, change }
}

/** An order whose first line has more seats. A pending order becomes completed. */
const changed = (order: SimulatedOrder, more: number): SimulatedOrder => ({
  ...order,
  ...(order.status === 'pending' ? { status: 'completed' } : {}),
  ...(order.lineItems === undefined
    ? {}
    : {
        lineItems: order.lineItems.map((line, index) =>
          index === 0 ? { ...line, quantity: line.quantity + more } : line,
        ),
      }),
})
