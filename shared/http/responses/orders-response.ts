import type { HttpResponseInit } from '@azure/functions'
import type { SingleOrder } from '../../orders/read-order.ts'
import { settlingMs } from '../../orders/settling.ts'
import type { EnvelopeMember, OrderBytes } from '../../partner-center/collection.ts'
import { respond } from './response.ts'

/** The source of the orders in a response, for its headers. */
export type Provenance = { source: 'live' | 'snapshot'; asOf: number; pricesUnavailable: boolean }

export const live = ({ asOf, pricesUnavailable }: Omit<Provenance, 'source'>): Provenance => ({
  source: 'live',
  asOf,
  pricesUnavailable,
})

export function ordersHeaders({ source, asOf, pricesUnavailable }: Provenance): Record<string, string> {
  return {
    'x-orders-source': source,
    'x-orders-as-of': new Date(asOf).toISOString(),
    'x-orders-complete-through': new Date(asOf - settlingMs).toISOString(),
    ...(pricesUnavailable ? { 'x-orders-prices': 'unavailable' } : {}),
  }
}

/** The documented collection: `totalCount` and the given items, then the other members of the upstream envelope. */
export function collectionResponse(
  orders: readonly OrderBytes[],
  envelope: readonly EnvelopeMember[],
  provenance: Provenance,
  ifNoneMatch: string | null,
): HttpResponseInit {
  const pieces: Buffer[] = [Buffer.from(`{"totalCount":${orders.length},"items":[`)]
  orders.forEach(({ json }, index) => {
    if (index > 0) pieces.push(comma)
    pieces.push(json)
  })
  pieces.push(Buffer.from(']'))
  for (const { key, json } of envelope) {
    if (key !== 'totalCount') pieces.push(Buffer.from(`,${JSON.stringify(key)}:`), json)
  }
  pieces.push(Buffer.from('}'))
  return respond(Buffer.concat(pieces), { ifNoneMatch, headers: ordersHeaders(provenance) })
}

const comma = Buffer.from(',')

/** One order. If it was requested, the provisioning status is one more member of the order. */
export function orderResponse(
  { order, provisioningStatus, ...read }: SingleOrder,
  ifNoneMatch: string | null,
): HttpResponseInit {
  const body =
    provisioningStatus === undefined
      ? order.json
      : Buffer.concat([
          order.json.subarray(0, -1),
          Buffer.from(',"provisioningStatus":'),
          provisioningStatus,
          Buffer.from('}'),
        ])
  return respond(body, { ifNoneMatch, headers: ordersHeaders(live(read)) })
}
