import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parse } from 'csv-parse/sync'
import { expect, test } from 'vitest'
import { toCsv } from '../../../shared/http/responses/csv.ts'
import { programs } from '../../support/programs.ts'

const rows = [
  { name: 'Zürich – “Löwen”', formula: '=1+1', note: 'a "quoted", comma', price: 12.5, count: -3 },
  { name: 'two\r\nlines', formula: '@SUM(A1)', note: ' spaces ', price: 0.1, count: 7 },
  { name: '', formula: '-2+3', note: 'plain', price: 1000000.25, count: 0 },
]

test('a CSV file opens in a spreadsheet with the right columns, and no cell of it is a formula', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'csv-'))
  try {
    await writeFile(join(folder, 'lines.csv'), toCsv(['name', 'formula', 'note', 'price', 'count'], rows))
    // 44 comma, 34 quote, 76 UTF-8: the values that Calc proposes for such a file.
    const office = (args: string[]) =>
      promisify(execFile)(programs.libreOffice ?? '', [
        `-env:UserInstallation=file://${folder}/profile`,
        '--headless',
        ...args,
        '--outdir',
        folder,
      ])
    await office(['--infilter=CSV:44,34,76', '--convert-to', 'ods', join(folder, 'lines.csv')])
    await office([
      '--convert-to',
      'csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,true',
      join(folder, 'lines.ods'),
    ])

    const back: string[][] = parse(await readFile(join(folder, 'lines.csv')), { bom: true, relax_column_count: true })
    expect(back[0]).toEqual(['name', 'formula', 'note', 'price', 'count'])
    expect(back.slice(1).map(row => row.slice(3))).toEqual(
      rows.map(({ price, count }) => [String(price), String(count)]),
    )
    expect(back.slice(1).map(([name, formula]) => [name?.replace('\r\n', '\n'), formula])).toEqual(
      rows.map(({ name, formula }) => [name.replace('\r\n', '\n'), `'${formula}`]),
    )
  } finally {
    await rm(folder, { recursive: true })
  }
})
