import { type OrderLine, orderLineColumns } from '../../orders/order-lines.ts'
import { parseTimestamp, toMilliseconds } from '../../orders/timestamp.ts'

/** The members of a row besides those of the order line. */
type LineReading = { retrievedAt: string; snapshotId: string }

export type LineRow = OrderLine & LineReading

export type ColumnKind = 'text' | 'integer' | 'decimal' | 'timestamp' | 'flag'

export type ColumnValue = string | number | bigint | boolean | null

type Column = { name: keyof LineRow; kind: ColumnKind; isRequired: boolean }

const kinds: Readonly<Record<keyof LineRow, ColumnKind | `${ColumnKind} required`>> = {
  orderId: 'text required',
  alternateId: 'text',
  customerTenantId: 'text required',
  customerName: 'text',
  orderStatus: 'text',
  billingCycle: 'text',
  currencyCode: 'text',
  currencySymbol: 'text',
  orderTransactionType: 'text',
  totalPrice: 'decimal',
  orderedAt: 'timestamp',
  creationDate: 'text',
  lineNumber: 'integer',
  offerId: 'text required',
  isNewCommerce: 'flag required',
  productId: 'text',
  skuId: 'text',
  availabilityId: 'text',
  friendlyName: 'text',
  quantity: 'integer',
  isCancelled: 'flag required',
  subscriptionId: 'text',
  parentSubscriptionId: 'text',
  termDuration: 'text',
  termMonths: 'integer',
  renewalTermDuration: 'text',
  promotionId: 'text',
  customTermEndDate: 'timestamp',
  partnerIdOnRecord: 'text',
  lineTransactionType: 'text',
  listPrice: 'decimal',
  discountedPrice: 'decimal',
  proratedPrice: 'decimal',
  unitPrice: 'decimal',
  extendedPrice: 'decimal',
  retrievedAt: 'timestamp required',
  snapshotId: 'text required',
}

/** The columns of every Parquet file of order lines, in their order. */
export const lineColumns: readonly Column[] = [...orderLineColumns, 'retrievedAt' as const, 'snapshotId' as const].map(
  name => {
    const [kind, required] = kinds[name].split(' ')
    return { name, kind: kind as ColumnKind, isRequired: required !== undefined }
  },
)

/** Partner Center writes prices with two fraction digits, and unit prices with up to six. */
export const decimalScale = 6
export const decimalPrecision = 18

const largestDecimal = 10 ** (decimalPrecision - decimalScale)
const smallestPlain = 1e-6
const largestInteger = 2 ** 31 - 1

/**
 * A price as a whole number of millionths. It is computed from the decimal digits, because multiplying a double is
 * inexact. Null if the price is too large for the column.
 */
export function toDecimal(value: number): bigint | null {
  const size = Math.abs(value)
  if (!(size < largestDecimal)) return null
  // Only numbers below this size are written with an exponent.
  const text = size < smallestPlain ? size.toFixed(decimalScale + 1) : String(size)
  const [whole = '0', fraction = ''] = text.split('.')
  const kept = BigInt(whole + fraction.slice(0, decimalScale).padEnd(decimalScale, '0'))
  const rounded = Number(fraction[decimalScale] ?? 0) >= 5 ? kept + 1n : kept
  return value < 0 ? -rounded : rounded
}

const toInteger = (value: number): number | null =>
  Number.isInteger(value) && Math.abs(value) <= largestInteger ? value : null

/** `2026-11-20T00:20:00.000Z`, the form that this app writes. `Date.parse` reads it much faster. */
const ownLength = 24

function toTimestamp(text: string): bigint | null {
  const own = text.length === ownLength && text.endsWith('Z') ? Date.parse(text) : Number.NaN
  // `Date.parse` accepts a day that the month does not have, and returns a day of the next month.
  if (!Number.isNaN(own) && new Date(own).toISOString() === text) return BigInt(own)
  const timestamp = parseTimestamp(text)
  return timestamp === undefined ? null : BigInt(toMilliseconds(timestamp))
}

/** The value of a column. Null if the member is absent or does not fit the type of the column. */
export function toColumnValue(kind: ColumnKind, value: string | number | boolean | undefined): ColumnValue {
  if (value === undefined) return null
  if (typeof value === 'number') return kind === 'decimal' ? toDecimal(value) : toInteger(value)
  return kind === 'timestamp' && typeof value === 'string' ? toTimestamp(value) : value
}
