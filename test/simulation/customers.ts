import type { Random } from './random.ts'
import { shortId, type Trace } from './trace.ts'

export type SimulatedOrder = { id: string; creationDate: string; status: string; lineItems: object[] }

type Refusal = { status: number; code?: string; headers?: Record<string, string> }

export type SimulatedCustomer = {
  id: string
  name: string
  orders: SimulatedOrder[]
  /** The response after the customer has left. Undefined while it is a customer. */
  left: Refusal | undefined
  /** The fault of this customer only. */
  trouble: Refusal | undefined
  /** When the customer came, left and returned. */
  history: { at: number; isListed: boolean }[]
}

/** A record of the activity log. Some appear late, some never. */
export type LogRecord = { customerId: string; operationDate: string; operationType: string; operationStatus: string }

export type Customers = {
  all: () => readonly SimulatedCustomer[]
  listed: () => SimulatedCustomer[]
  find: (id: string) => SimulatedCustomer | undefined
  ordersOf: (id: string) => SimulatedOrder[]
  refusalOf: (id: string) => Refusal | undefined
  /** True if the customer was listed all the time since `from`, until `to` if given. */
  wasListed: (id: string, from: number, to?: number) => boolean
  /** Creates, changes or removes an order of the customer. */
  change: (customer: SimulatedCustomer) => void
  /** Changes a random customer: an order, or it comes, leaves, returns, starts or stops to fail. */
  happen: () => void
  /** The records that the activity log shows now. */
  logged: () => LogRecord[]
  /** From then on, every listed customer responds. */
  calm: () => void
}

type Options = { random: Random; now: () => number; trace: Trace; count: number; maxCount: number; isTroubled: boolean }

const gone: readonly Refusal[] = [
  { status: 403, code: '20002' },
  { status: 404, code: '60003' },
]

const troubles: readonly Refusal[] = [
  { status: 401 },
  { status: 401 },
  { status: 403, code: '20002' },
  { status: 404, code: '60003' },
  { status: 403 },
  { status: 500 },
  { status: 429, headers: { 'retry-after': '20' } },
  { status: 429, headers: { 'retry-after': '900' } },
]

export function createCustomers({ random, now, trace, count, maxCount, isTroubled }: Options): Customers {
  const byId = new Map<string, SimulatedCustomer>()
  let orders = 0
  const log: { seenFrom: number; record: LogRecord }[] = []

  function note(customerId: string, operationType: string): void {
    if (random.chance(0.05)) return
    const seenFrom = now() + (random.chance(0.3) ? random.spread(1000, 25 * 60_000) : 0)
    const operationDate = new Date(now()).toISOString()
    const record = { customerId, operationDate, operationType, operationStatus: 'succeeded' }
    for (let times = random.chance(0.1) ? 2 : 1; times > 0; times--) log.push({ seenFrom, record })
  }
  // Some names contain characters that a careless format would interpret.
  const hasOddNames = random.chance(0.1)

  function addOrder(customer: SimulatedCustomer): void {
    const number = ++orders
    const creationDate = new Date(Date.UTC(2026, 0, 1) + number * 61_000).toISOString()
    const lineItems = number % 3 === 0 ? [] : [{ lineItemNumber: 0, quantity: number % 7 }]
    customer.orders.push({ id: `order-${number}`, creationDate, status: 'pending', lineItems })
  }

  function add(): void {
    const number = random.between(1, 998)
    const id = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
    if (byId.has(id)) return
    const customer: SimulatedCustomer = {
      id,
      name: hasOddNames && random.chance(0.2) ? `Name\0 "${number}",\n` : `Customer ${number}`,
      orders: [],
      left: undefined,
      trouble: undefined,
      history: [{ at: now(), isListed: true }],
    }
    for (let more = random.between(0, 3); more > 0; more--) addOrder(customer)
    byId.set(id, customer)
    trace.say('upstream', () => `${shortId(id)} comes with ${customer.orders.length} orders`)
  }

  function setListed(customer: SimulatedCustomer, isListed: boolean): void {
    customer.left = isListed ? undefined : random.pick(gone)
    customer.history.push({ at: now(), isListed })
    trace.say('upstream', () => `${shortId(customer.id)} ${isListed ? 'returns' : 'leaves'}`)
  }

  function toggleTrouble(customer: SimulatedCustomer): void {
    customer.trouble = customer.trouble === undefined ? random.pick(troubles) : undefined
    const { status = 'no trouble', code = '' } = customer.trouble ?? {}
    trace.say('upstream', () => `${shortId(customer.id)} has ${status} ${code}`)
  }

  for (let tries = 0; byId.size < count && tries < 10 * count; tries++) add()
  if (isTroubled) for (const customer of byId.values()) if (random.chance(0.1)) toggleTrouble(customer)

  const customers: Customers = {
    all: () => [...byId.values()],
    listed: () => [...byId.values()].filter(({ left }) => left === undefined).sort((a, b) => (a.id < b.id ? -1 : 1)),
    find: id => byId.get(id),
    ordersOf: id => byId.get(id)?.orders ?? [],
    refusalOf: id => {
      const customer = byId.get(id)
      return customer === undefined ? { status: 404, code: '60003' } : (customer.left ?? customer.trouble)
    },
    wasListed(id, from, to = now()) {
      const history = byId.get(id)?.history ?? []
      const before = history.findLast(({ at }) => at <= from)
      return before?.isListed === true && history.every(({ at, isListed }) => at <= from || at > to || isListed)
    },
    change(customer) {
      const order = customer.orders.length > 0 ? random.pick(customer.orders) : undefined
      if (order === undefined || random.chance(0.4)) {
        addOrder(customer)
        note(customer.id, 'create_order')
        return
      }
      if (random.chance(0.2)) customer.orders = customer.orders.filter(other => other !== order)
      else {
        const line = { lineItemNumber: order.lineItems.length, quantity: random.between(1, 9) }
        const changed = { ...order, status: 'completed', lineItems: [...order.lineItems, line] }
        customer.orders = customer.orders.map(other => (other === order ? changed : other))
        note(customer.id, 'update_order')
      }
    },
    happen() {
      const kind = random.between(1, 10)
      if (kind <= 2 && byId.size < maxCount) return add()
      if (byId.size === 0) return
      const customer = random.pick([...byId.values()])
      if (kind <= 4) setListed(customer, customer.left !== undefined)
      else if (kind <= 6 && isTroubled) toggleTrouble(customer)
      else customers.change(customer)
    },
    logged: () => log.filter(({ seenFrom }) => seenFrom <= now()).map(({ record }) => record),
    calm() {
      for (const customer of byId.values()) customer.trouble = undefined
    },
  }
  return customers
}
