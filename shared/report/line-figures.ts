import type { CurrencyGroup, Group, LineFigures, Month } from './figures.ts'

/** The members of an order line that the figures need. */
export type LineRow = {
  customerTenantId: string
  orderId: string
  orderStatus?: string | undefined
  billingCycle?: string | undefined
  currencyCode?: string | undefined
  totalPrice?: number | undefined
  /** Milliseconds since 1970 UTC. */
  orderedAt?: number | undefined
  quantity: number
}

/** The most names that are added up separately, which bounds memory for any data. */
const mostNames = 500
const mostShown = 8
const monthsShown = 24

const unknown = 'unknown'

type Tally = Map<string, CurrencyGroup>

function entryOf(tally: Tally, name = unknown): CurrencyGroup {
  const key = tally.has(name) || tally.size < mostNames ? name : unknown
  const known = tally.get(key)
  if (known !== undefined) return known
  const entry = { name: key, orders: 0, lines: 0, seats: 0, value: 0, priced: 0 }
  tally.set(key, entry)
  return entry
}

/** Returns the largest groups, and all others as one more group. */
function largest(tally: Tally): CurrencyGroup[] {
  const sorted = [...tally.values()].sort((a, b) => b.orders - a.orders || (a.name < b.name ? -1 : 1))
  if (sorted.length <= mostShown) return sorted
  const rest = sorted.slice(mostShown - 1)
  const name = `${rest.length} others`
  const others = { name, orders: 0, lines: 0, seats: 0, value: 0, priced: 0 }
  for (const { orders, lines, seats } of rest) {
    others.orders += orders
    others.lines += lines
    others.seats += seats
  }
  return [...sorted.slice(0, mostShown - 1), others]
}

const withoutValue = ({ name, orders, lines, seats }: CurrencyGroup): Group => ({ name, orders, lines, seats })

const monthOf = (timestamp: number): string => new Date(timestamp).toISOString().slice(0, 7)

/** The months that are shown, the oldest first. */
function monthsUpTo(timestamp: number): Month[] {
  const at = new Date(timestamp)
  return Array.from({ length: monthsShown }, (_, back) => {
    const month = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() - (monthsShown - 1 - back), 1))
    return { month: monthOf(month.getTime()), orders: 0, seats: 0 }
  })
}

/** Adds up order lines, row by row; the lines of an order follow one another. `asOf` is in milliseconds since 1970 UTC. */
export function createLineTally(asOf: number): { add: (row: LineRow) => void; finish: () => LineFigures } {
  const [statuses, cycles, currencies]: [Tally, Tally, Tally] = [new Map(), new Map(), new Map()]
  const months = monthsUpTo(asOf)
  const byMonth = new Map(months.map(month => [month.month, month]))
  const first = months[0]?.month ?? ''
  const earlier = { orders: 0, seats: 0 }
  const sums = { orders: 0, lines: 0, seats: 0, undated: 0 }
  let last: { customerTenantId: string; orderId: string } | undefined

  return {
    add(row) {
      const { customerTenantId, orderId, quantity, totalPrice, orderedAt } = row
      const isNew = last?.orderId !== orderId || last.customerTenantId !== customerTenantId
      if (isNew) last = { customerTenantId, orderId }
      const orders = isNew ? 1 : 0
      const groups = [
        entryOf(statuses, row.orderStatus),
        entryOf(cycles, row.billingCycle),
        entryOf(currencies, row.currencyCode),
      ]
      const month = orderedAt === undefined ? undefined : monthOf(orderedAt)
      // An order of a later month, by another clock, counts for the newest month.
      const place = month === undefined ? undefined : month < first ? earlier : (byMonth.get(month) ?? months.at(-1))
      for (const group of [sums, ...groups]) {
        group.orders += orders
        group.lines++
        group.seats += quantity
      }
      if (place === undefined) sums.undated += orders
      else {
        place.orders += orders
        place.seats += quantity
      }
      const currency = groups[2]
      if (isNew && totalPrice !== undefined && currency !== undefined && 'value' in currency) {
        currency.value += totalPrice
        currency.priced++
      }
    },
    finish: () => ({
      ...sums,
      byStatus: largest(statuses).map(withoutValue),
      byBillingCycle: largest(cycles).map(withoutValue),
      byCurrency: largest(currencies),
      months,
      earlier,
    }),
  }
}
