import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { HttpRequest } from '@azure/functions'
import { respondWithAllOrderLines } from '../../shared/http/responses/all-order-lines-response.ts'
import { readOrderCollection } from '../../shared/partner-center/collection.ts'
import { systemClock } from '../../shared/runtime/clock.ts'
import { createReadRun } from '../../shared/snapshots/reading/read-run.ts'
import { encodeCustomer } from '../../shared/snapshots/storage/codec.ts'
import { createFindRuns } from '../../shared/snapshots/storage/find-runs.ts'
import { manifestBlob, partBlob, partName } from '../../shared/snapshots/storage/layout.ts'
import { createReader } from '../../shared/snapshots/storage/reader.ts'
import type { Store } from '../../shared/snapshots/storage/store.ts'
import { collectionOf, customerIds } from './upstream.ts'

/**
 * One page of 50,000 order lines of all customers, from parts on disk, as CSV or JSON. Prints its bytes, the median CPU
 * of some pages, and the peak of resident memory of one above idle. Linux only.
 */
const [folder = '', format = 'csv'] = process.argv.slice(2)
const run = { snapshotId: '20261120T002000Z' }
const rows = 50_000
const partsCount = 30
const fileOf = (name: string) => `${folder}/${name.replaceAll('/', '_')}`

if (format === 'write') {
  const { items } = readOrderCollection(collectionOf(customerIds(1)[0] ?? '', 20))
  const ids = customerIds(partsCount * 50)
  const parts: { name: string; orders: number; bytes: number; sha256: string }[] = []
  for (let part = 0; part < partsCount; part++) {
    const members = ids
      .slice(part * 50, part * 50 + 50)
      .map(id =>
        encodeCustomer(
          { customerTenantId: id, customerName: 'Customer Zürich AG', retrievedAt: '2026-11-20T00:21:00Z' },
          items,
        ),
      )
    const body = Buffer.concat(await Promise.all(members))
    writeFileSync(fileOf(partBlob(run, part)), body)
    const sha256 = createHash('sha256').update(body).digest('hex')
    parts.push({ name: partName(part), orders: 50 * items.length, bytes: body.length, sha256 })
  }
  const [startedAt, counts] = ['2026-11-20T00:20:00Z', { created: 0, updated: 0, removed: 0 }]
  const customers = { planned: ids.length, read: ids.length, failed: 0 }
  const head = { ...run, status: 'succeeded', trigger: 'timer', startedAt, customers, changes: counts }
  const sums = { orders: ids.length * items.length, bytes: 1, path: '', failures: [] }
  writeFileSync(fileOf(manifestBlob(run)), JSON.stringify({ ...head, ...sums, parts }))
  writeFileSync(fileOf('latest.json'), JSON.stringify({ ...run, path: '', asOf: startedAt, finishedAt: startedAt }))
  process.exit(0)
}

const refuse = () => {
  throw new Error('Not for this')
}
const store: Store = {
  read: async name => ({ body: readFileSync(fileOf(name)), info: { name, etag: '', bytes: 0, metadata: {} } }),
  head: refuse,
  write: refuse,
  stage: refuse,
  commit: refuse,
  list: refuse,
  listFolders: refuse,
  remove: refuse,
}
const reader = createReader(store)
const readRun = createReadRun({ store, runs: createFindRuns(store, reader), reader })
const request = new HttpRequest({ method: 'GET', url: 'http://localhost/api/order-lines' })

async function page(top: number): Promise<number> {
  const deadline = { at: Date.now() + 1_000_000, signal: new AbortController().signal, silenceMs: 30_000 }
  const operation = { correlationId: 'bench', deadline, log: () => undefined }
  const input = {
    format: format === 'csv' ? ('csv' as const) : ('json' as const),
    top,
    includeSystemPurchases: true,
  }
  const { body } = await respondWithAllOrderLines(input, { readRun, request, clock: systemClock, operation })
  // The host gets these bytes as they are (ready-response.ts).
  if (!Buffer.isBuffer(body)) throw new Error('The page is not one buffer')
  return body.length
}

const field = (name: string): number =>
  Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024
const gc = (globalThis as { gc?: () => void }).gc ?? (() => undefined)

// A small page loads and compiles the code, so that a large one only allocates its own memory.
await page(1000)
gc()
const idle = field('VmRSS')
writeFileSync('/proc/self/clear_refs', '5')
const bytes = await page(rows)
const peak = field('VmHWM') - idle
const times: number[] = []
for (let round = 0; round < 7; round++) {
  const before = process.cpuUsage()
  await page(rows)
  const { user, system } = process.cpuUsage(before)
  times.push((user + system) / 1000)
}
console.log(JSON.stringify({ bytes, peak, cpu: times.sort((a, b) => a - b)[3] }))
process.exit(0)
