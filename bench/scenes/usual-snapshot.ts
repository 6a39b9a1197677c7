import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { BlobServiceClient } from '@azure/storage-blob'
import { customerIds } from './upstream.ts'

/**
 * A snapshot as a good engineer writes it in an hour: one customer after the other with `fetch` and `res.json()`, an order
 * a line, gzipped and uploaded in blobs of 50 customers. Prints the milliseconds it took.
 */
const [upstream = '', storage = '', customers = '300'] = process.argv.slice(2)
const perBlob = 50

const container = BlobServiceClient.fromConnectionString(storage).getContainerClient(`usual-${Date.now()}`)
await container.create()
const compress = promisify(gzip)
const ids = customerIds(Number(customers))

const startedAt = performance.now()
for (let from = 0; from < ids.length; from += perBlob) {
  const lines: string[] = []
  for (const customerTenantId of ids.slice(from, from + perBlob)) {
    const response = await fetch(`${upstream}/v1/customers/${customerTenantId}/orders`)
    const { items } = (await response.json()) as { items: { creationDate: string }[] }
    items.sort((a, b) => a.creationDate.localeCompare(b.creationDate))
    for (const order of items) lines.push(JSON.stringify({ customerTenantId, order }))
  }
  const body = await compress(lines.join('\n'))
  await container.getBlockBlobClient(`part-${from}`).upload(body, body.length)
}
console.log(performance.now() - startedAt)
process.exit(0)
