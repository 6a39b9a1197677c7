import type { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import {
  type ColumnKind,
  type ColumnValue,
  decimalPrecision,
  decimalScale,
  type LineRow,
  lineColumns,
  toColumnValue,
} from './line-columns.ts'

/** Makes a Parquet file of rows. What is returned are its next bytes, to be appended to those before. */
export type LinesEncoder = {
  /** Takes a row in; returns no bytes until a row group is full. */
  add: (row: LineRow) => Buffer
  /** The rest of the file. */
  finish: () => Buffer
}

/** Rows that are held until they are written: memory is bounded by them, not by the part. */
const rowsPerGroup = 2048

/** Least and greatest values of a row group are kept to this length, that of a tenant id. */
const statisticsBytes = 36

type Schema = ParquetWriter['schema']

const typeOf: Readonly<Record<ColumnKind, Omit<Schema[number], 'name'>>> = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  integer: { type: 'INT32' },
  decimal: {
    type: 'INT64',
    converted_type: 'DECIMAL',
    precision: decimalPrecision,
    scale: decimalScale,
    logical_type: { type: 'DECIMAL', precision: decimalPrecision, scale: decimalScale },
  },
  timestamp: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MILLIS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
  },
  flag: { type: 'BOOLEAN' },
}

const schema: Schema = [
  { name: 'order_lines', num_children: lineColumns.length },
  ...lineColumns.map(({ name, kind, isRequired }): Schema[number] => ({
    name,
    repetition_type: isRequired ? 'REQUIRED' : 'OPTIONAL',
    ...typeOf[kind],
  })),
]

let library: Promise<typeof import('hyparquet-writer')> | undefined

/** Loaded where the first part is written, and remembered: a second import would be a turn of the event loop. */
export const loadParquet = () => {
  library ??= import('hyparquet-writer')
  return library
}

export async function createLinesEncoder(): Promise<LinesEncoder> {
  const { ByteWriter, ParquetWriter } = await loadParquet()
  const bytes = new ByteWriter()
  const file = new ParquetWriter({
    writer: bytes,
    schema,
    statisticsTruncateLength: statisticsBytes,
    createdBy: 'partner-center-orders',
  })
  let columns: ColumnValue[][] = lineColumns.map(() => [])
  let rows = 0

  function writeGroup(): void {
    if (rows === 0) return
    const columnData = lineColumns.map(({ name }, at) => ({ name, data: columns[at] ?? [] }))
    file.write({ columnData, rowGroupSize: rowsPerGroup })
    columns = lineColumns.map(() => [])
    rows = 0
  }

  return {
    add(row) {
      for (const [at, { name, kind }] of lineColumns.entries()) columns[at]?.push(toColumnValue(kind, row[name]))
      rows++
      if (rows < rowsPerGroup) return Buffer.alloc(0)
      writeGroup()
      return takeBytes(bytes)
    },
    finish() {
      writeGroup()
      file.finish()
      return takeBytes(bytes)
    },
  }
}

/** What was written since the last time; the writer goes on in the same memory. */
function takeBytes(writer: ByteWriter): Buffer {
  const taken = Buffer.from(writer.getBytes())
  writer.index = 0
  return taken
}
