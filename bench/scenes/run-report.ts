import { readFileSync, writeFileSync } from 'node:fs'
import { toOrderLines } from '../../shared/orders/order-lines.ts'
import { readOrderCollection } from '../../shared/partner-center/collection.ts'
import { gather } from '../../shared/report/gather.ts'
import { createLinks } from '../../shared/report/links.ts'
import { renderPage } from '../../shared/report/page.ts'
import { systemClock } from '../../shared/runtime/clock.ts'
import { toChangeLine } from '../../shared/snapshots/changes/change-lines.ts'
import { createReadRun } from '../../shared/snapshots/reading/read-run.ts'
import { createWriteManifest } from '../../shared/snapshots/run/manifest.ts'
import { encodeCustomer, encodeLines, hashOrders } from '../../shared/snapshots/storage/codec.ts'
import { createFindRuns } from '../../shared/snapshots/storage/find-runs.ts'
import { linesFolder } from '../../shared/snapshots/storage/layout.ts'
import { dataBlob } from '../../shared/snapshots/storage/part-blobs.ts'
import { createPartWriter } from '../../shared/snapshots/storage/part-writer.ts'
import { packCustomer, writePlan } from '../../shared/snapshots/storage/plan-blob.ts'
import { createReader } from '../../shared/snapshots/storage/reader.ts'
import type { Current, IndexEntry } from '../../shared/snapshots/storage/shapes.ts'
import { createDiskStore } from './disk-store.ts'
import { collectionOf, customerIds } from './upstream.ts'

/**
 * Measures the report of a run of 10,000 customers × 20 orders. Two orders of each fifth customer have changed, and
 * each twentieth customer failed. `write` stores the runs in a folder. `files` makes the report from the Parquet files.
 * `orders` makes it from the orders, as for a run of an earlier version. Prints bytes, CPU, and the peak of resident
 * memory above idle. Linux only.
 */
const [folder = '', mode = 'files'] = process.argv.slice(2)
const store = createDiskStore(folder)
const reader = createReader(store)
const runs = createFindRuns(store, reader)
const operation = {
  correlationId: 'bench',
  deadline: { at: Date.now() + 1_000_000, signal: new AbortController().signal, silenceMs: 30_000 },
  log: () => undefined,
}
const perPart = 50
const small = '20261118T002000Z'
const large = '20261120T002000Z'

async function writeRun(snapshotId: string, customers: number): Promise<void> {
  const startedAt = `${snapshotId.replace(/^(....)(..)(..)T.*$/, '$1-$2-$3')}T00:20:00.000Z`
  const run: Current = { snapshotId, nonce: '', trigger: 'timer', startedAt, round: 0, generation: 0, sent: true }
  const place = { snapshotId, partial: false }
  const ids = customerIds(customers)
  const nameOf = (at: number) => `Customer number ${at} with a name of usual length GmbH`
  await writePlan(store, place, {
    head: { ...place, startedAt, trigger: 'timer', base: '20261119T002000Z' },
    customers: ids.map((id, at) => packCustomer(id, nameOf(at))),
    unlisted: new Set(),
    newer: { newest: new Map(), reported: new Map() },
    others: [],
    customersPerPart: perPart,
  })
  const { items } = readOrderCollection(collectionOf(ids[0] ?? '', 20))
  const orders = items.map(({ json }) => json)
  const sha256 = hashOrders(items)
  for (let first = 0, part = 0; first < ids.length; first += perPart, part++) {
    const writer = createPartWriter(store, { run: place, part })
    const entries: IndexEntry[] = []
    let updated = 0
    for (const [at, customerTenantId] of ids.slice(first, first + perPart).entries()) {
      const customerName = nameOf(first + at)
      if (at % 20 === 19) {
        const error = { code: 'no_customer_relationship', message: 'The partner has no reseller relationship.' }
        entries.push({ customerTenantId, customerName, error })
        continue
      }
      const head = { customerTenantId, customerName, retrievedAt: startedAt }
      const member = await writer.addCustomer(await encodeCustomer(head, items))
      const lines = items.flatMap(order => toOrderLines(order, customerTenantId, customerName))
      await writer.addLines(lines.map(line => ({ ...line, retrievedAt: startedAt, snapshotId })))
      entries.push({ ...head, ...member, orders: items.length, sha256 })
      if (at % 5 > 0) continue
      const context = {
        snapshotId,
        detectedAt: startedAt,
        customerTenantId,
        customerName,
        previousSnapshotId: undefined,
      }
      const changes = orders.slice(0, 2).flatMap((order, number) => {
        const previousOrder = orders[number + 2] ?? order
        const change = { orderId: `${number}`, changedMembers: ['lineItems'], order, previousOrder }
        return toChangeLine({ kind: 'updated', ...change }, context).line
      })
      updated += changes.length
      await writer.addChanges(await encodeLines(changes))
    }
    await writer.commit({ part, customers: entries }, { created: 0, updated, removed: 0 })
  }
  const parts = await Array.fromAsync(store.list(dataBlob.prefixOf(place)))
  const plan = await reader.readPlan(place)
  await createWriteManifest({ store, reader, clock: systemClock })(run, plan, parts, operation)
}

if (mode === 'write') {
  await writeRun(large, 10_000)
  for (let day = 0; day < 35; day++) {
    const date = new Date(Date.UTC(2026, 10, 19) - day * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '')
    if (`${date}T002000Z` === small) await writeRun(small, 60)
    else await writeRun(`${date}T002000Z`, 1)
  }
  process.exit(0)
}

const field = (name: string): number =>
  Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024
const gc = (globalThis as { gc?: () => void }).gc ?? (() => undefined)

async function report(snapshotId: string): Promise<Buffer> {
  const run = await runs.finished(snapshotId)
  if (run === undefined) throw new Error('There is no such run')
  const readRun = createReadRun({ store, runs, reader })
  const kept = { ...run, hasLines: mode === 'files' }
  const figures = await gather({ store, reader, runs, readRun, clock: systemClock }, kept, operation)
  if ('missing' in figures.lines || 'missing' in figures.changes) throw new Error('Something is missing')
  return Buffer.from(renderPage(figures, createLinks('')))
}

// The small report loads and compiles the code, so that only the memory of the large one is measured.
await report(small)
gc()
const idle = field('VmRSS')
writeFileSync('/proc/self/clear_refs', '5')
const before = process.cpuUsage()
const page = await report(large)
const { user, system } = process.cpuUsage(before)
const files = await Array.fromAsync(store.list(linesFolder({ snapshotId: large })))
console.log(
  JSON.stringify({ bytes: page.length, peak: field('VmHWM') - idle, cpu: (user + system) / 1000, files: files.length }),
)
process.exit(0)
