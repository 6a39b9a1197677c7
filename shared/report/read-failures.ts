import { partNumber } from '../snapshots/storage/layout.ts'
import { dataBlob } from '../snapshots/storage/part-blobs.ts'
import { readPartMetadata } from '../snapshots/storage/part-metadata.ts'
import type { Plan } from '../snapshots/storage/plan-blob.ts'
import type { SnapshotReader } from '../snapshots/storage/reader.ts'
import { isFailed, isGone, type Manifest } from '../snapshots/storage/shapes.ts'
import { isUnreadable } from '../snapshots/storage/storage-errors.ts'
import type { Store } from '../snapshots/storage/store.ts'
import type { CustomerName, FailureFigures, FailureGroup } from './figures.ts'

/** Most customers that are listed by name: in all, and for one reason. */
const mostListed = 40
const mostOfGroup = 15
const mostGone = 20

type Options = { reader: SnapshotReader; manifest: Manifest; plan: Plan | undefined }

/** The run that last read a customer, if the index of the run has it. */
async function lastReadOf({ reader, plan }: Options, customerTenantId: string): Promise<string | undefined> {
  const found = await (plan && reader.find(plan, customerTenantId))?.catch(error => {
    if (!isUnreadable(error)) throw error
    return undefined
  })
  return found !== undefined && isFailed(found.entry) ? (found.entry.readIn ?? found.entry.lastRead) : undefined
}

/** The failed customers by reason, the most frequent reason first. A manifest lists at most 1,000. */
export async function readFailures(options: Options): Promise<FailureFigures> {
  const { manifest } = options
  const groups = new Map<string, FailureGroup>()
  for (const { code } of manifest.failures) {
    const group = groups.get(code) ?? { code, count: 0, customers: [] }
    group.count++
    groups.set(code, group)
  }
  const sorted = [...groups.values()].sort((a, b) => b.count - a.count)
  let listed = 0
  for (const group of sorted) {
    for (const { code, customerTenantId, customerName = '', message } of manifest.failures) {
      if (code !== group.code || group.customers.length === mostOfGroup || listed === mostListed) continue
      const lastRead = await lastReadOf(options, customerTenantId)
      group.customers.push({ customerTenantId, customerName, message, ...(lastRead === undefined ? {} : { lastRead }) })
      listed++
    }
  }
  return { total: manifest.customers.failed, groups: sorted }
}

/** The listed customers that are no longer customers of the partner. */
export async function readGone(store: Store, reader: SnapshotReader, plan: Plan): Promise<CustomerName[]> {
  const gone: CustomerName[] = []
  for await (const { name, metadata } of store.list(dataBlob.prefixOf(plan))) {
    if (readPartMetadata(metadata).gone === 0) continue
    const { customers } = await reader.readIndex(plan, partNumber(name))
    for (const { customerTenantId, customerName } of customers.filter(isGone)) {
      gone.push({ customerTenantId, customerName })
      if (gone.length === mostGone) return gone
    }
  }
  return gone
}
