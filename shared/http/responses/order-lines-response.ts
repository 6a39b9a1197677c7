import type { HttpRequest, HttpResponseInit } from '@azure/functions'
import { dayOf } from '../../formats/days.ts'
import { type OrderLine, orderLineColumns, toOrderLines } from '../../orders/order-lines.ts'
import type { OrderBytes } from '../../partner-center/collection.ts'
import { type PagedList, preparePage } from '../paging/paging.ts'
import { toCsv } from './csv.ts'
import { ordersHeaders } from './orders-response.ts'
import type { SourcedOrders } from './orders-source.ts'
import { respond } from './response.ts'

type OrderLinesInput = {
  customerTenantId: string
  format: 'json' | 'csv'
  top: number
  cursor?: string | undefined
}

/** Where the orders come from, and the name of their customer. */
type Source = Pick<SourcedOrders, 'provenance' | 'customerName'>

type Customer = { customerTenantId: string; customerName: string | undefined }

type RespondWithLines = (orders: readonly OrderBytes[], source: Source) => HttpResponseInit

/**
 * Checks the cursor of a request. Returns a function that creates the response: the lines of the sorted orders as one
 * page of JSON rows, or all of them as CSV.
 */
export function prepareOrderLines(
  { format, top, cursor, ...filters }: OrderLinesInput,
  request: HttpRequest,
): RespondWithLines {
  const ifNoneMatch = request.headers.get('if-none-match')
  const { customerTenantId } = filters
  const takePage = preparePage({ top, cursor }, { function: 'list-order-lines', format, ...filters }, request)

  const respondWithCsv: RespondWithLines = (orders, { provenance, customerName }) => {
    const day = dayOf(provenance.asOf)
    const csv = toCsv(orderLineColumns, allLines(orders, { customerTenantId, customerName }))
    return respond(csv, {
      ifNoneMatch,
      contentType: 'text/csv; charset=utf-8',
      headers: {
        ...ordersHeaders(provenance),
        'content-disposition': `attachment; filename="order-lines-${customerTenantId}-${day}.csv"`,
      },
    })
  }
  const respondWithPage: RespondWithLines = (orders, { provenance, customerName }) => {
    const { from, to, ...links } = takePage(toList(orders))
    const value = linesBetween(orders, { customerTenantId, customerName }, from, to)
    return respond(JSON.stringify({ value, ...links }), { ifNoneMatch, headers: ordersHeaders(provenance) })
  }
  return format === 'csv' ? respondWithCsv : respondWithPage
}

/**
 * Counts rows without parsing an order. `OrderBytes.lines` and `toOrderLines` count the same: each object in `lineItems`
 * is one row. The bytes of the first orders represent their rows.
 */
function toList(orders: readonly OrderBytes[]): PagedList {
  return {
    length: orders.reduce((sum, { lines }) => sum + lines, 0),
    *prefix(count) {
      for (let index = 0, rows = 0; rows < count && index < orders.length; index++) {
        const order = orders[index]
        if (order === undefined) return
        yield order.json
        rows += order.lines
      }
    },
  }
}

const linesOf = (order: OrderBytes, { customerTenantId, customerName }: Customer): OrderLine[] =>
  toOrderLines(order, customerTenantId, customerName)

function* allLines(orders: readonly OrderBytes[], customer: Customer): Generator<OrderLine> {
  for (const order of orders) yield* linesOf(order, customer)
}

/** Parses only the orders that contain the rows from `from` to `to`. */
function linesBetween(orders: readonly OrderBytes[], customer: Customer, from: number, to: number): OrderLine[] {
  const lines: OrderLine[] = []
  let before = 0
  for (const order of orders) {
    const after = before + order.lines
    if (after > from && before < to) {
      lines.push(...linesOf(order, customer).slice(Math.max(0, from - before), to - before))
    }
    if (after >= to) break
    before = after
  }
  return lines
}
