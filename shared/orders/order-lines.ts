import type { OrderBytes } from '../partner-center/collection.ts'
import { parseTimestamp, toMilliseconds } from './timestamp.ts'

/** One order line as a flat row. A member has the same type in every row, and is absent if its value is unknown. */
export type OrderLine = {
  orderId: string
  alternateId?: string
  customerTenantId: string
  /** Present if it is known without another call: in snapshots, and while the customer list is in memory. */
  customerName?: string
  orderStatus?: string
  billingCycle?: string
  currencyCode?: string
  currencySymbol?: string
  orderTransactionType?: string
  totalPrice?: number
  /** ISO 8601 in UTC, cut to milliseconds. */
  orderedAt?: string
  /** The original text of Partner Center, with all its digits. */
  creationDate?: string
  lineNumber: number
  offerId: string
  isNewCommerce: boolean
  productId?: string
  skuId?: string
  availabilityId?: string
  friendlyName?: string
  quantity: number
  /** True for quantity 0: the line was cancelled, but its order stays completed. */
  isCancelled: boolean
  /** In lower case, because Partner Center uses both cases. */
  subscriptionId?: string
  parentSubscriptionId?: string
  /** ISO 8601 duration, such as `P1Y`. */
  termDuration?: string
  termMonths?: number
  renewalTermDuration?: string
  promotionId?: string
  customTermEndDate?: string
  partnerIdOnRecord?: string
  lineTransactionType?: string
  listPrice?: number
  discountedPrice?: number
  proratedPrice?: number
  unitPrice?: number
  extendedPrice?: number
}

/** Columns in the order of the type, for CSV and Parquet. */
export const orderLineColumns = [
  'orderId',
  'alternateId',
  'customerTenantId',
  'customerName',
  'orderStatus',
  'billingCycle',
  'currencyCode',
  'currencySymbol',
  'orderTransactionType',
  'totalPrice',
  'orderedAt',
  'creationDate',
  'lineNumber',
  'offerId',
  'isNewCommerce',
  'productId',
  'skuId',
  'availabilityId',
  'friendlyName',
  'quantity',
  'isCancelled',
  'subscriptionId',
  'parentSubscriptionId',
  'termDuration',
  'termMonths',
  'renewalTermDuration',
  'promotionId',
  'customTermEndDate',
  'partnerIdOnRecord',
  'lineTransactionType',
  'listPrice',
  'discountedPrice',
  'proratedPrice',
  'unitPrice',
  'extendedPrice',
] as const satisfies readonly (keyof OrderLine)[]

type Loose = Record<string, unknown>

const isLoose = (value: unknown): value is Loose => typeof value === 'object' && value !== null && !Array.isArray(value)

const text = (value: unknown): string | undefined => {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}

const number = (value: unknown): number | undefined => {
  const parsed = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof parsed === 'number' && Number.isFinite(parsed) ? parsed : undefined
}

/** The months of an ISO 8601 duration of years and months. Undefined for other durations. */
export function toMonths(duration: string | undefined): number | undefined {
  const match = /^P(?=\d)(?:(\d{1,3})Y)?(?:(\d{1,4})M)?$/.exec(duration ?? '')
  return match === null ? undefined : Number(match[1] ?? 0) * 12 + Number(match[2] ?? 0)
}

/** The documentation of create-an-order describes `renewsTo` as an array. Samples show an object. */
const renewalTerm = (renewsTo: unknown): string | undefined => {
  const [first] = Array.isArray(renewsTo) ? renewsTo : [renewsTo]
  return isLoose(first) ? text(first.termDuration) : undefined
}

/**
 * The rows of one order, sorted by line number: one for each object in `lineItems`. `OrderBytes.lines` counts the same.
 */
export const toOrderLines = (
  { json }: Pick<OrderBytes, 'json'>,
  customerTenantId: string,
  customerName?: string,
): OrderLine[] => parsedOrderLines(JSON.parse(json.toString('utf8')), customerTenantId, customerName)

/** The rows of an order that is parsed already. */
export function parsedOrderLines(order: unknown, customerTenantId: string, customerName?: string): OrderLine[] {
  if (!isLoose(order)) return []
  const items = (Array.isArray(order.lineItems) ? order.lineItems : []).filter(isLoose)
  const creationDate = text(order.creationDate)
  const created = parseTimestamp(creationDate)
  const head = {
    orderId: text(order.id) ?? '',
    alternateId: text(order.alternateId),
    customerTenantId,
    customerName: text(customerName),
    orderStatus: text(order.status),
    billingCycle: text(order.billingCycle),
    currencyCode: text(order.currencyCode),
    currencySymbol: text(order.currencySymbol),
    orderTransactionType: text(order.transactionType),
    totalPrice: number(order.totalPrice),
    orderedAt: created === undefined ? undefined : new Date(toMilliseconds(created)).toISOString(),
    creationDate,
  }
  return items
    .map((item, index) => defined({ ...head, ...toRow(item, index) }))
    .sort((a, b) => a.lineNumber - b.lineNumber)
}

function toRow(item: Loose, index: number) {
  const offerId = text(item.offerId) ?? ''
  // A colon means new commerce: product:sku:availability.
  const [productId, skuId, availabilityId] = offerId.includes(':') ? offerId.split(':') : []
  const quantity = number(item.quantity)
  const termDuration = text(item.termDuration)
  const pricing = isLoose(item.pricing) ? item.pricing : {}
  return {
    lineNumber: number(item.lineItemNumber) ?? index,
    offerId,
    isNewCommerce: offerId.includes(':'),
    productId: text(productId),
    skuId: text(skuId),
    availabilityId: text(availabilityId),
    friendlyName: text(item.friendlyName),
    quantity: quantity ?? 0,
    isCancelled: quantity === 0,
    subscriptionId: text(item.subscriptionId)?.toLowerCase(),
    parentSubscriptionId: text(item.parentSubscriptionId)?.toLowerCase(),
    termDuration,
    termMonths: toMonths(termDuration),
    renewalTermDuration: renewalTerm(item.renewsTo),
    promotionId: text(item.promotionId),
    customTermEndDate: text(item.customTermEndDate),
    partnerIdOnRecord: text(item.partnerIdOnRecord),
    lineTransactionType: text(item.transactionType),
    listPrice: number(pricing.listPrice),
    discountedPrice: number(pricing.discountedPrice),
    proratedPrice: number(pricing.proratedPrice),
    unitPrice: number(pricing.price),
    extendedPrice: number(pricing.extendedPrice),
  }
}

type Row = ReturnType<typeof toRow> & Record<string, unknown>

/** Removes members that are undefined. */
function defined(row: Row & { orderId: string; customerTenantId: string }): OrderLine {
  for (const name in row) if (row[name] === undefined) delete row[name]
  return row as OrderLine
}
