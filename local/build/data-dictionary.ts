import { z } from 'zod'
import { orderLineSchema } from '../../shared/openapi/responses.ts'
import {
  type ColumnKind,
  decimalPrecision,
  decimalScale,
  type LineRow,
  lineColumns,
} from '../../shared/snapshots/storage/line-columns.ts'

const types: Readonly<Record<ColumnKind, string>> = {
  text: 'string',
  integer: 'int32',
  decimal: `decimal(${decimalPrecision},${decimalScale})`,
  timestamp: 'timestamp in UTC, ms',
  flag: 'boolean',
}

/** Columns that only the files have. */
const ofFiles: Partial<Record<keyof LineRow, string>> = {
  retrievedAt: 'When the order was read from Partner Center.',
  snapshotId: 'The snapshot of the row.',
}

/** Columns whose values are less, or other, than their names suggest. */
const limits: Partial<Record<keyof LineRow, string>> = {
  orderId: 'Unique for a customer. It is not documented whether it is unique for all customers.',
  customerName: 'The name when the customer was read. A name can change, the tenant id cannot.',
  orderStatus: 'Absent in old orders. Values other than pending, completed and cancelled are possible.',
  billingCycle: 'Partner Center can add cycles without notice.',
  orderTransactionType: 'Absent in old orders.',
  totalPrice: 'Always empty, because snapshots are taken without prices.',
  orderedAt: 'Cut to milliseconds. creationDate has all digits. Text without a zone counts as UTC.',
  lineNumber: 'Unique within the order.',
  offerId: 'A GUID or a name for legacy offers, product:sku:availability for new commerce.',
  quantity:
    'It is not documented whether a unit is a seat (reservations and software have units, too), and whether a line that changes a subscription has the new total or the difference. Empty if it is no whole number.',
  isCancelled: 'It is not documented whether every cancellation sets the quantity of its line to 0.',
  subscriptionId: 'Missing while the order is pending, and for reservations and software.',
  parentSubscriptionId: 'It is not documented whether every add-on has it.',
  friendlyName: 'Can differ between orders of one product. Group by productId and skuId.',
  termDuration: 'Empty for perpetual software.',
  termMonths: 'Empty if the term is not in years and months.',
  customTermEndDate: 'Empty in the file if it cannot be read as a date.',
  lineTransactionType: 'In either case: New and new. Absent in legacy orders.',
  listPrice: 'Always empty, like totalPrice.',
  discountedPrice: 'Always empty, like totalPrice.',
  proratedPrice: 'Always empty, like totalPrice.',
  unitPrice: 'Always empty, like totalPrice.',
  extendedPrice: 'Always empty, like totalPrice.',
}

const descriptionOf = (name: keyof LineRow): string => {
  const shape: Readonly<Record<string, z.ZodType>> = orderLineSchema.shape
  const schema = shape[name]
  const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema
  const meta = inner instanceof z.ZodType ? inner.meta() : undefined
  return ofFiles[name] ?? meta?.description ?? ''
}

const row = (cells: readonly string[]): string => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`

const dictionaryStart = '<!-- columns: written by npm run docs -->\n'
const dictionaryEnd = '<!-- end of columns -->\n'

/** The columns of order lines as a table of the documentation. */
export const dictionaryTable = (): string =>
  [
    row(['Column', 'Type in Parquet', 'Meaning', 'Limits']),
    row(['---', '---', '---', '---']),
    ...lineColumns.map(({ name, kind, isRequired }) =>
      row([`\`${name}\`${isRequired ? '' : '?'}`, types[kind], descriptionOf(name), limits[name] ?? '']),
    ),
    '',
  ].join('\n')

/** The page with the current table. */
export function withDictionary(page: string): string {
  const [from, to] = [page.indexOf(dictionaryStart), page.indexOf(dictionaryEnd)]
  if (from < 0 || to < from) throw new Error('The page has no place for the columns')
  return page.slice(0, from + dictionaryStart.length) + dictionaryTable() + page.slice(to)
}
