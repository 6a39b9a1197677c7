/** The value of a cell. Text is quoted where necessary, and undefined is an empty cell. */
export type Cell = string | number | boolean | undefined

const byteOrderMark = '\uFEFF'
const endOfRow = '\r\n'

/**
 * Text that a spreadsheet would run as a formula, also with the full-width signs of East Asian keyboards, or would
 * split so that a formula starts a cell (owasp.org/www-community/attacks/CSV_Injection). Ids of Partner Center can
 * start with a hyphen. A hyphen that only letters, digits, hyphens and underscores follow is no formula.
 */
const formula = /^(?:\s*[=+@＝＋＠－]|\s*-(?![\w-]*$)|[\t\r\n\0,;|])/

const needsQuotes = /[",\r\n]|^\s|\s$/

function toCell(value: Cell): string {
  if (typeof value !== 'string') return value === undefined ? '' : String(value)
  const text = formula.test(value) ? `'${value}` : value
  return needsQuotes.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

type Row<Column extends string> = Readonly<Partial<Record<Column, Cell>>>

export const csvHead = (columns: readonly string[]): string => byteOrderMark + columns.join(',') + endOfRow

export const csvRow = <Column extends string>(columns: readonly Column[], row: Row<Column>): string =>
  columns.map(column => toCell(row[column])).join(',') + endOfRow

/**
 * RFC 4180 with a header row and CRLF, in UTF-8 with a byte-order mark, which Excel needs to detect the encoding. Text
 * that a spreadsheet would run as a formula gets a leading apostrophe.
 */
export function toCsv<Column extends string>(columns: readonly Column[], rows: Iterable<Row<Column>>): string {
  const lines = [csvHead(columns)]
  for (const row of rows) lines.push(csvRow(columns, row))
  return lines.join('')
}
