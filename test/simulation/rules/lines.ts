import { isDeepStrictEqual } from 'node:util'
import { readParquet } from '../../support/parquet.ts'
import type { Findings } from '../findings.ts'
import type { Storage } from '../storage.ts'
import type { SeenRun } from './runs.ts'

type Reading = {
  customerTenantId: string
  customerName: string
  retrievedAt: string
  order: { id: string; lineItems: { lineItemNumber: number; quantity: number }[] }
}

type Row = readonly unknown[]

const columns = [
  'customerTenantId',
  'customerName',
  'orderId',
  'lineNumber',
  'quantity',
  'retrievedAt',
  'snapshotId',
] as const

/** The expected rows of a part's lines, derived from the part alone. */
const toRows = (line: string, snapshotId: string): Row[] => {
  const { customerTenantId, customerName, retrievedAt, order } = JSON.parse(line) as Reading
  const name = customerName === '' ? null : customerName
  return order.lineItems.map(({ lineItemNumber, quantity }) => [
    customerTenantId,
    name,
    order.id,
    lineItemNumber,
    quantity,
    new Date(retrievedAt),
    snapshotId,
  ])
}

/** Checks that the Parquet file of a part has exactly the lines of the part's orders. */
export function createLineRules({ storage, findings }: { storage: Storage; findings: Findings }) {
  const rule = 'the lines of a part are those of its orders'
  const open: (() => Promise<void>)[] = []

  return {
    /** Records the present file. `finish` compares it. */
    check({ id, isPartial, isFollowing }: SeenRun, part: number, lines: readonly string[]): void {
      // A run over requested customers has no lines. A following run has lines.
      const isWithout = isPartial && !isFollowing
      const name = `lines/date=${id.slice(0, 4)}-${id.slice(4, 6)}-${id.slice(6, 8)}/run=${id}/part-${String(part).padStart(5, '0')}.parquet`
      const blob = storage.blobs.get(name)
      if (isWithout !== (blob === undefined)) findings.broken(rule, `${name} is ${isWithout ? '' : 'not '}there`)
      if (blob === undefined) return
      const expected = lines.flatMap(line => toRows(line, id))
      open.push(async () => {
        const rows = await readParquet(blob.body, [...columns]).catch(error => [{ error: String(error) }])
        const actual = rows.map((row: Record<string, unknown>) => columns.map(column => row[column]))
        if (!isDeepStrictEqual(actual, expected)) {
          findings.broken(rule, `${name}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`)
        }
      })
    },
    async finish(): Promise<void> {
      for (const compare of open) await compare()
    },
  }
}
