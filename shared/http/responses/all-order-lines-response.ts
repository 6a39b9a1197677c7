import type { HttpRequest, HttpResponseInit } from '@azure/functions'
import { z } from 'zod'
import { AppError } from '../../errors.ts'
import { dayOf } from '../../formats/days.ts'
import { type OrderLine, orderLineColumns, toOrderLines } from '../../orders/order-lines.ts'
import { type OrderFilter, selectAsUpstream, selectOrders, type UpstreamSelection } from '../../orders/select-orders.ts'
import { readOrder } from '../../partner-center/collection.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import {
  callsFor,
  firstOrder,
  type OrderPlace,
  type ReadRun,
  type StoredOrder,
} from '../../snapshots/reading/read-run.ts'
import { snapshotIdPattern } from '../../snapshots/storage/layout.ts'
import type { Manifest } from '../../snapshots/storage/shapes.ts'
import { decodeCursor, encodeCursor } from '../paging/cursor.ts'
import { nextLink } from '../paging/links.ts'
import { invalidParameter } from '../parameters/input.ts'
import { defaultRows } from '../parameters/parameter-kinds.ts'
import { csvHead, csvRow } from './csv.ts'
import { ordersHeaders } from './orders-response.ts'
import { respond } from './response.ts'

export type AllOrderLinesInput = OrderFilter &
  UpstreamSelection & {
    asOf?: number | undefined
    format: 'json' | 'csv'
    top?: number | undefined
    cursor?: string | undefined
  }

/** The start of a page: the run, the order within it, and the row within the lines of that order. */
type Position = OrderPlace & { snapshotId: string; row: number }

/** The default number of rows on a page of CSV. */
const mostCsvRows = 50_000

const count = z.int().nonnegative()
const positionSchema = z.tuple([z.string().regex(snapshotIdPattern), count, count, count])

/**
 * The most storage calls for a page of up to 1,000 rows, including those that find the run. A page that needs more
 * calls ends early and has a link.
 */
const mostCalls = 12
const callsToFind = { newest: 2, asOf: 6, get: 1 }

/** The share of the deadline in which rows are collected. A page that takes longer ends early and has a link. */
const gatheringShare = 0.6

const expired = (): AppError =>
  new AppError(
    'cursor_expired',
    'The snapshot that this cursor belongs to is no longer kept. Start again without a cursor.',
    { target: 'cursor' },
  )

function readPosition(cursor: string, scope: { function: string }): Position {
  const decoded = positionSchema.safeParse(decodeCursor(cursor, scope))
  if (!decoded.success) throw invalidParameter('cursor', 'a cursor that this function returned')
  const [snapshotId, part, order, row] = decoded.data
  return { snapshotId, part, order, row }
}

/** Collects the bytes of a page row by row, so that memory holds only one row as an object. */
function createPage(format: 'json' | 'csv') {
  const pieceLength = 64 * 1024
  const pieces: Buffer[] = []
  let text = format === 'csv' ? csvHead(orderLineColumns) : '{"value":['
  let rows = 0
  return {
    rows: () => rows,
    add(line: OrderLine): void {
      text += format === 'csv' ? csvRow(orderLineColumns, line) : (rows === 0 ? '' : ',') + JSON.stringify(line)
      rows++
      if (text.length < pieceLength) return
      pieces.push(Buffer.from(text))
      text = ''
    },
    finish(next: string | undefined): Buffer {
      const end = next === undefined ? ']}' : `],"nextLink":${JSON.stringify(next)}}`
      pieces.push(Buffer.from(format === 'csv' ? text : text + end))
      return Buffer.concat(pieces)
    },
  }
}

type Context = { readRun: ReadRun; request: HttpRequest; clock: Clock; operation: OperationContext }

/** One page of the order lines of all customers, from the newest snapshot or the snapshot that `asOf` selects. */
export async function respondWithAllOrderLines(
  { top, cursor, ...filters }: AllOrderLinesInput,
  { readRun, request, clock, operation }: Context,
): Promise<HttpResponseInit> {
  const { format, asOf } = filters
  const scope = { function: 'list-all-order-lines', ...filters }
  const mostRows = top ?? (format === 'csv' ? mostCsvRows : defaultRows)
  const startedAt = clock.now()
  const until = startedAt + gatheringShare * (operation.deadline.at - startedAt)
  const from = cursor === undefined ? undefined : readPosition(cursor, scope)
  const run = from === undefined ? await readRun.find(asOf) : await readRun.get(from.snapshotId)
  if (run === undefined) throw expired()

  const page = createPage(format)
  const found = from !== undefined ? callsToFind.get : asOf === undefined ? callsToFind.newest : callsToFind.asOf
  const callsLeft = Math.max(mostCalls, mostCalls * Math.ceil(mostRows / 1000)) - found
  const place = await gather(run, from ?? { part: 0, order: 0, row: 0 }, callsLeft)

  /** Adds rows until the page is full. Returns the start of the next page, or undefined after the last row. */
  async function gather(run: Manifest, first: OrderPlace & { row: number }, most: number) {
    let next: OrderPlace & { row: number } = first
    for (let calls = 0; ; ) {
      calls += callsFor(run, next)
      operation.deadline.signal.throwIfAborted()
      const batch = await readRun.read(run, next)
      if (batch === undefined) return undefined
      for await (const stored of batch.orders) {
        const { part, order } = stored
        const skipped = part === next.part && order === next.order ? next.row : 0
        const lines = linesOf(stored, filters)
        for (let row = skipped; row < lines.length; row++) {
          if (page.rows() === mostRows) return { part, order, row }
          const line = lines[row]
          if (line !== undefined) page.add(line)
        }
      }
      const following = firstOrder(run, batch.next)
      if (following === undefined) return undefined
      next = { ...following, row: 0 }
      if (page.rows() === mostRows || calls + callsFor(run, next) > most || clock.now() > until) return next
    }
  }

  const link =
    place === undefined
      ? undefined
      : nextLink(request, encodeCursor([run.snapshotId, place.part, place.order, place.row], scope))
  const headers = {
    ...ordersHeaders({ source: 'snapshot', asOf: Date.parse(run.startedAt), pricesUnavailable: false }),
    ...(format === 'csv'
      ? { 'content-disposition': `attachment; filename="order-lines-${dayOf(Date.parse(run.startedAt))}.csv"` }
      : {}),
    ...(format === 'csv' && link !== undefined ? { link: `<${link}>; rel="next"` } : {}),
  }
  return respond(page.finish(link), {
    ifNoneMatch: request.headers.get('if-none-match'),
    ...(format === 'csv' ? { contentType: 'text/csv; charset=utf-8' } : {}),
    headers,
  })
}

/** The rows of an order. Empty if the order does not pass the filters. */
function linesOf({ head, json }: StoredOrder, filters: OrderFilter & UpstreamSelection): OrderLine[] {
  const order = readOrder(json)
  if (selectOrders(selectAsUpstream([order], filters), filters).length === 0) return []
  return toOrderLines(order, head.customerTenantId, head.customerName)
}
