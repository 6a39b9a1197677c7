import type { Call } from '../../call.ts'
import { createLimit, inOrder } from '../../in-order.ts'
import type { FindRuns } from '../storage/find-runs.ts'
import { dateOf, partNumber } from '../storage/layout.ts'
import { dataBlob } from '../storage/part-blobs.ts'
import { readPartMetadata } from '../storage/part-metadata.ts'
import { type Plan, packCustomer, readAllPlanned, readOthers } from '../storage/plan-blob.ts'
import type { SnapshotReader } from '../storage/reader.ts'
import { isGone, type OtherCustomer } from '../storage/shapes.ts'
import { isUnreadable } from '../storage/storage-errors.ts'
import type { Store } from '../storage/store.ts'

/** Whom a run knows. */
export type KnownCustomers = {
  /** Those that it planned and that did not leave, packed. */
  planned: string[]
  /** Those that it knows from other runs. */
  others: OtherCustomer[]
  /** True if the run cannot be read: it may have known more. */
  incomplete: boolean
}

export type ReadKnown = (base: string, call: Call) => Promise<KnownCustomers>

type Options = { store: Store; reader: SnapshotReader; runs: FindRuns }

/** Indexes that are read at a time. */
const concurrency = 16

/** Reads whom the run compared with knows. Damage costs what cannot be read, never the plan. */
export function createReadKnown({ store, reader, runs }: Options): ReadKnown {
  /** Customers of the run that were found to have left. Parts say in their metadata how many they have. */
  async function readGone(plan: Plan): Promise<Map<string, string | undefined>> {
    const parts: number[] = []
    for await (const { name, metadata } of store.list(dataBlob.prefixOf(plan))) {
      if (readPartMetadata(metadata).gone > 0) parts.push(partNumber(name))
    }
    const limit = createLimit(concurrency)
    const gone = new Map<string, string | undefined>()
    // Whoever left and stands in an index that cannot be read is asked once more, and found to have left again.
    const readIndex = (part: number) =>
      reader.readIndex(plan, part).catch(error => {
        if (!isUnreadable(error)) throw error
        return { customers: [] }
      })
    for await (const { customers } of inOrder(parts, concurrency, part => limit(() => readIndex(part)))) {
      for (const entry of customers) if (isGone(entry)) gone.set(entry.customerTenantId, entry.lastRead)
    }
    return gone
  }

  /** Without those whose last run is no longer kept. */
  async function stillKept(others: readonly OtherCustomer[]): Promise<OtherCustomer[]> {
    if (others.length === 0) return []
    const oldest = (await runs.oldestDate()) ?? ''
    return others.filter(([, run]) => dateOf(run) >= oldest)
  }

  const nothing: KnownCustomers = { planned: [], others: [], incomplete: true }

  return async (base, call) => {
    try {
      const plan = await reader.readPlan({ snapshotId: base })
      if (plan === undefined) return nothing
      const gone = await readGone(plan)
      const left = Array.from(gone, ([id, lastRead]): OtherCustomer[] =>
        lastRead === undefined ? [] : [[id, lastRead, 'gone']],
      ).flat()
      const others = await stillKept([...(await readOthers(store, plan)), ...left])
      const planned: string[] = []
      for await (const customers of readAllPlanned(store, plan)) {
        for (const [id, name] of customers) if (!gone.has(id)) planned.push(packCustomer(id, name))
      }
      return { planned, others, incomplete: plan.incomplete === true }
    } catch (error) {
      if (!isUnreadable(error)) throw error
      call.log('warn', 'comparison_lost', { base, why: error.message })
      return nothing
    }
  }
}
