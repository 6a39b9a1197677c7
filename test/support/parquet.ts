import { writeFile } from 'node:fs/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { parquetMetadata, parquetReadObjects } from 'hyparquet'

const toArrayBuffer = (file: Buffer): ArrayBuffer => new Uint8Array(file).buffer

/** The rows of a Parquet file as hyparquet reads them, or some of their columns. */
export const readParquet = (file: Buffer, columns?: string[]): Promise<Record<string, unknown>[]> =>
  parquetReadObjects({ file: toArrayBuffer(file), ...(columns === undefined ? {} : { columns }) })

export const parquetFooter = (file: Buffer) => parquetMetadata(toArrayBuffer(file))

/** The rows of a Parquet file and the types of its columns, read by DuckDB, with timestamps and decimals as text. */
export async function queryParquet(file: Buffer, path: string) {
  await writeFile(path, file)
  const connection = await (await DuckDBInstance.create()).connect()
  await connection.run("SET TimeZone = 'UTC'")
  const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM '${path}'`)
  const types = described.getRowObjectsJson().map(({ column_name, column_type }) => [column_name, column_type])
  const rows = (await connection.runAndReadAll(`SELECT * FROM '${path}'`)).getRowObjectsJson()
  connection.closeSync()
  return { types, rows }
}
