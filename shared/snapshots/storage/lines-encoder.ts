import type { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import {
  type Column,
  type ColumnKind,
  type ColumnValue,
  decimalPrecision,
  decimalScale,
  type LineRow,
  lineColumns,
  toColumnValue,
} from './line-columns.ts'

/** Encodes rows as a Parquet file. The functions return the next bytes of the file. */
export type LinesEncoder = {
  /** Adds a row. Returns no bytes until a row group is full. */
  add: (row: LineRow) => Buffer
  /** The rest of the file. */
  finish: () => Buffer
}

/**
 * The rows of a row group. They are kept in memory until they are written, which bounds the memory of a part. Larger
 * groups take longer to encode, and no customer is read meanwhile.
 */
const rowsPerGroup = 512

/** The minimum and maximum of a row group are cut to this length, that of a tenant id. */
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

const nothing = Buffer.alloc(0)

let library: Promise<typeof import('hyparquet-writer')> | undefined

/**
 * The library is loaded with the first part. The promise is kept, because a second `import()` takes a turn of the event
 * loop.
 */
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
      for (let at = 0; at < lineColumns.length; at++) {
        const { name, kind } = lineColumns[at] as Column
        columns[at]?.push(toColumnValue(kind, row[name]))
      }
      rows++
      if (rows < rowsPerGroup) return nothing
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

/** The bytes since the last call. The writer then reuses its memory. */
function takeBytes(writer: ByteWriter): Buffer {
  const taken = Buffer.from(writer.getBytes())
  writer.index = 0
  return taken
}
