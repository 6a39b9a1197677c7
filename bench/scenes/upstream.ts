import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { guidOf, sampleOrder } from '../../local/simulator/sample-data.ts'

/**
 * A Partner Center that takes almost no time: fixed bodies, and every token is valid. Prints its port. `GET /reads`
 * returns how often orders were read, so that a benchmark can check that every response took one read.
 */
const ordersEach = Number(process.argv[2] ?? 20)
const customers = Number(process.argv[3] ?? 64)
/** Milliseconds before a response. */
const latency = Number(process.argv[4] ?? 0)
/** Customers in the list. If given, those after the first few have the orders of the first. */
const listed = Number(process.argv[5] ?? 0)
/** Orders of the first customer. */
const firstHas = Number(process.argv[6] ?? ordersEach)
const listSize = listed || 10_000

export const customerIds = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => guidOf(`customer ${index}`))

export function collectionOf(customer: string, orders: number): Buffer {
  const items = Array.from({ length: orders }, (_, number) => sampleOrder(customer, number))
  const links = { self: { uri: `/customers/${customer}/orders`, method: 'GET', headers: [] } }
  return Buffer.from(JSON.stringify({ totalCount: orders, items, links, attributes: { objectType: 'Collection' } }))
}

const pageSize = 500

/** One page of the list of customers. The link to the next page contains its start. */
function customerPage(from: number): Buffer {
  const items = Array.from({ length: Math.min(pageSize, listSize - from) }, (_, index) => {
    const id = guidOf(`customer ${from + index}`)
    const companyProfile = {
      tenantId: id,
      domain: `customer${from + index}.example`,
      companyName: `Customer ${from + index} Zürich AG`,
    }
    return {
      id,
      commerceId: id,
      companyProfile,
      relationshipToPartner: 'reseller',
      attributes: { objectType: 'Customer' },
    }
  })
  const next = { uri: `/customers?size=${pageSize}&from=${from + pageSize}`, method: 'GET', headers: [] }
  return Buffer.from(
    JSON.stringify({ totalCount: items.length, items, links: from + pageSize < listSize ? { next } : {} }),
  )
}

if (import.meta.main) {
  const bodies = new Map(
    customerIds(customers).map((id, index) => [id, collectionOf(id, index === 0 ? firstHas : ordersEach)]),
  )
  const common = listed > 0 ? bodies.values().next().value : undefined
  const token = Buffer.from(JSON.stringify({ token_type: 'Bearer', expires_in: 3599, access_token: 'bench' }))
  let reads = 0
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://upstream')
    if (url.pathname === '/reads') return void response.end(String(reads))
    if (url.pathname.endsWith('/orders')) reads++
    const list = url.pathname === '/v1/customers' ? customerPage(Number(url.searchParams.get('from') ?? 0)) : undefined
    const orders = () => bodies.get(url.pathname.split('/')[3] ?? '') ?? common
    const body = request.method === 'POST' ? token : (list ?? orders())
    const headers = { 'content-type': 'application/json', 'content-length': body?.length ?? 0 }
    const answer = () => response.writeHead(body === undefined ? 404 : 200, headers).end(body)
    if (latency > 0 && body !== token) setTimeout(answer, latency)
    else answer()
    request.resume()
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1', () => console.log(`Serving on ${(server.address() as AddressInfo).port}`))
}
