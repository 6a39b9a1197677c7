import { z } from 'zod'
import { orderLine } from '../../shared/openapi/responses.ts'
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

/** What only the files have. */
const ofFiles: Partial<Record<keyof LineRow, string>> = {
  retrievedAt: 'When the order was read from Partner Center.',
  snapshotId: 'The snapshot that holds the row.',
}

/** Where a column is less, or other, than its name suggests. */
const limits: Partial<Record<keyof LineRow, string>> = {
  orderId: 'Unique for a customer; not known whether it is for all.',
  customerName: 'As it was when the customer was read; names change, the tenant id does not.',
  orderStatus: 'Absent in old orders. Values other than pending, completed, cancelled may come.',
  billingCycle: 'New cycles come without notice.',
  orderTransactionType: 'Absent in old orders.',
  totalPrice: 'Always empty in snapshots: they are taken without prices.',
  orderedAt: 'Cut to milliseconds; creationDate has all digits. A text without a zone is taken for UTC.',
  lineNumber: 'Unique within the order.',
  offerId: 'A GUID or a name for legacy offers; product:sku:availability for new commerce.',
  quantity:
    'Not known: whether a unit is a seat (reservations and software have units, too), and whether a line that changes a subscription has the new total or the difference. Empty if it is no whole number.',
  isCancelled: 'Not known: whether every cancellation sets the quantity of its line to 0.',
  subscriptionId: 'Missing while the order is pending, and for reservations and software.',
  parentSubscriptionId: 'Not known: whether every add-on has it.',
  friendlyName: 'May differ between orders of one product; group by productId and skuId.',
  termDuration: 'Empty for perpetual software.',
  termMonths: 'Empty if the term is not in years and months.',
  customTermEndDate: 'Empty in the file if it cannot be read as a date.',
  lineTransactionType: 'Written in either case: New and new. Absent in legacy orders.',
  listPrice: 'As for totalPrice.',
  discountedPrice: 'As for totalPrice.',
  proratedPrice: 'As for totalPrice.',
  unitPrice: 'As for totalPrice.',
  extendedPrice: 'As for totalPrice.',
}

const descriptionOf = (name: keyof LineRow): string => {
  const shape: Readonly<Record<string, z.ZodType>> = orderLine.shape
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
    row(['Column', 'Type in Parquet', 'Meaning', 'Limits, and what is not known']),
    row(['---', '---', '---', '---']),
    ...lineColumns.map(({ name, kind, isRequired }) =>
      row([`\`${name}\`${isRequired ? '' : '?'}`, types[kind], descriptionOf(name), limits[name] ?? '']),
    ),
    '',
  ].join('\n')

/** The page with the table of today. */
export function withDictionary(page: string): string {
  const [from, to] = [page.indexOf(dictionaryStart), page.indexOf(dictionaryEnd)]
  if (from < 0 || to < from) throw new Error('The page has no place for the columns')
  return page.slice(0, from + dictionaryStart.length) + dictionaryTable() + page.slice(to)
}
