import type { OrderBytes } from '../partner-center/collection.ts'
import { compareText, compareTimestamps, parseTimestamp, type Timestamp } from './timestamp.ts'

/** Filters that Partner Center does not offer for orders. This app applies them. */
export type OrderFilter = {
  /** Lower case; `unknown` also matches an order without a status. */
  status?: string | undefined
  /** Inclusive. */
  createdFrom?: Timestamp | undefined
  /** Exclusive. */
  createdTo?: Timestamp | undefined
}

/** The selection that Partner Center itself offers, for orders from a snapshot. */
export type UpstreamSelection = { billingType?: string | undefined; includeSystemPurchases: boolean }

const spelling = (text: string | undefined): string => (text ?? '').replaceAll('_', '').toLowerCase()

/** Selects the orders that Partner Center would return. */
export const selectAsUpstream = (
  orders: readonly OrderBytes[],
  { billingType, includeSystemPurchases }: UpstreamSelection,
): OrderBytes[] =>
  orders.filter(
    ({ billingCycle, transactionType }) =>
      (billingType === undefined || spelling(billingCycle) === spelling(billingType)) &&
      (includeSystemPurchases || spelling(transactionType) !== 'systempurchase'),
  )

type DatedOrder = { order: OrderBytes; created: Timestamp | undefined }

/**
 * The orders that pass the filter, sorted by creation time, then by id. Partner Center returns them in no fixed order,
 * and equal orders must give equal bytes. Orders without a date come last and pass no date filter.
 */
export function selectOrders(orders: readonly OrderBytes[], filter: OrderFilter = {}): OrderBytes[] {
  return orders
    .map(order => ({ order, created: parseTimestamp(order.creationDate) }))
    .filter(dated => passes(dated, filter))
    .sort(compareOrders)
    .map(({ order }) => order)
}

function passes({ order, created }: DatedOrder, { status, createdFrom, createdTo }: OrderFilter): boolean {
  if (status !== undefined && (order.status?.toLowerCase() ?? 'unknown') !== status) return false
  if (createdFrom === undefined && createdTo === undefined) return true
  if (created === undefined) return false
  if (createdFrom !== undefined && compareTimestamps(created, createdFrom) < 0) return false
  return createdTo === undefined || compareTimestamps(created, createdTo) < 0
}

function compareOrders(a: DatedOrder, b: DatedOrder): number {
  if (a.created === undefined || b.created === undefined) {
    return Number(a.created === undefined) - Number(b.created === undefined) || compareByContent(a, b)
  }
  return compareTimestamps(a.created, b.created) || compareByContent(a, b)
}

/** Two orders should not have the same id. If they do, their bytes decide, so that the order is still fixed. */
const compareByContent = (a: DatedOrder, b: DatedOrder): number =>
  compareText(a.order.id, b.order.id) || a.order.json.compare(b.order.json)
