import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Cell, toCsv } from '../../../../shared/http/responses/csv.ts'

const columns = ['text', 'more', 'number', 'flag'] as const

const cell = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({
    unit: fc.constantFrom('=', '+', '-', '－', '@', '\t', '\r', '\n', '\0', '"', ',', ';', ' ', "'", 'a', '1', '('),
  }),
)
const row = fc.record(
  { text: cell, more: cell, number: fc.double({ noNaN: true, noDefaultInfinity: true }), flag: fc.boolean() },
  { requiredKeys: [] },
)

const isId = (text: string): boolean => /^-[A-Za-z0-9_-]*$/.test(text)

/** The value that a reader of the file sees: an apostrophe precedes text that a spreadsheet would run. */
const seen = (value: Cell): string => {
  if (typeof value !== 'string') return value === undefined ? '' : String(value)
  const runs = ['=', '+', '-', '@', '＝', '＋', '－', '＠'].some(sign => value.trimStart().startsWith(sign))
  const splits = ['\t', '\r', '\n', '\0', ',', ';', '|'].some(sign => value.startsWith(sign))
  return (runs && !isId(value.trimStart())) || splits ? `'${value}` : value
}

test('any rows survive an RFC 4180 parser, with formulas escaped in text cells only', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 8 }), rows => {
      const csv = toCsv(columns, rows)
      const back: string[][] = parse(csv, { bom: true, record_delimiter: '\r\n', relax_quotes: false })
      expect(back).toEqual([[...columns], ...rows.map(each => columns.map(column => seen(each[column])))])
    }),
    { numRuns: 10_000 },
  )
})

test('a file begins with a byte-order mark and the header, and every record ends with CRLF', () => {
  expect(toCsv(columns, [])).toBe('\uFEFFtext,more,number,flag\r\n')
  expect(toCsv(columns, [{ number: -1 }, { text: '-1+1' }])).toBe(
    "\uFEFFtext,more,number,flag\r\n,,-1,\r\n'-1+1,,,\r\n",
  )
})

test.each(['-Gh3_kQ9-4MPbPqq_3MIQaS7bn8W6HfG1', '9qg-ErcO-4MPbPqq', 'a=b'])('the id %j stays as it is', id => {
  expect(toCsv(columns, [{ text: id }])).toContain(`\r\n${id},`)
})

test.each(['=1+1', '+A1', "-cmd|'/c calc'!A0", '@SUM(A1)', '\t=1', '\0=1', ' =1', ';=1', '＝1'])(
  '%j does not run in a spreadsheet',
  formula => {
    expect(toCsv(columns, [{ text: formula }])).toMatch(/\r\n"?'/)
  },
)
