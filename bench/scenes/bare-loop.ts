import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { BlobServiceClient } from '@azure/storage-blob'
import { Agent } from 'undici'
import { customerIds } from './upstream.ts'

/**
 * The minimum work of a snapshot: a loop that reads each customer's orders, gzips the bytes and uploads them in blobs
 * of 50 customers, with as many requests in progress as the app has. Prints the milliseconds it took.
 */
const [upstream = '', storage = '', customers = '1000', concurrency = '5'] = process.argv.slice(2)
const perBlob = 50

const agent = new Agent({ connections: Number(concurrency), allowH2: false })
const container = BlobServiceClient.fromConnectionString(storage).getContainerClient(`bare-${Date.now()}`)
await container.create()
const compress = promisify(gzip)
const ids = customerIds(Number(customers))

const startedAt = performance.now()
const members: Buffer[] = []
const uploads: Promise<unknown>[] = []
let next = 0
const lane = async () => {
  for (let id = ids[next++]; id !== undefined; id = ids[next++]) {
    const response = await agent.request({ origin: upstream, path: `/v1/customers/${id}/orders`, method: 'GET' })
    members.push(await compress(await response.body.bytes()))
    if (members.length < perBlob) continue
    const body = Buffer.concat(members.splice(0))
    uploads.push(container.getBlockBlobClient(`part-${uploads.length}`).upload(body, body.length))
  }
}
await Promise.all(Array.from({ length: Number(concurrency) }, lane))
await Promise.all(uploads)
console.log(performance.now() - startedAt)
await agent.close()
