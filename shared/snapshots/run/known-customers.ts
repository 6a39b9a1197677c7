import type { Call } from '../../call.ts'
import { createLimit, inOrder } from '../../in-order.ts'
import type { FindRuns } from '../storage/find-runs.ts'
import { dateOf, partNumber } from '../storage/layout.ts'
import { dataBlob } from '../storage/part-blobs.ts'
import { readPartMetadata } from '../storage/part-metadata.ts'
import { type Plan, packCustomer, readAllPlanned, readOthers } from '../storage/plan-blob.ts'
import type { SnapshotReader } from '../storage/reader.ts'
import { isGone, isRead, type OtherCustomer } from '../storage/shapes.ts'
import { isUnreadable } from '../storage/storage-errors.ts'
import type { Store } from '../storage/store.ts'

/** Whom a run knows. */
export type KnownCustomers = {
  /** Those that it planned and that did not leave, packed. */
  planned: string[]
  /** Those that it knows from other runs. */
  others: OtherCustomer[]
  /** True if it may have missed some: it cannot be read, or its own list was cut short. */
  incomplete: boolean
}

export type ReadKnown = {
  /** Whom the run compared with knows. */
  known: (base: string, call: Call) => Promise<KnownCustomers>
  /** Who was read after it by smaller runs, and by which; `previous` is the last run before this one. */
  newer: (previous: string, call: Call) => Promise<Map<string, string>>
}

type Options = { store: Store; reader: SnapshotReader; runs: FindRuns }

/** Indexes that are read at a time. */
const concurrency = 16

/** Reads whom the run compared with knows. Damage costs what cannot be read, never the plan. */
export function createReadKnown({ store, reader, runs }: Options): ReadKnown {
  /** Customers of the run that were found to have left. Parts say in their metadata how many they have. */
  async function readGone(plan: Plan): Promise<Map<string, OtherCustomer>> {
    const parts: number[] = []
    for await (const { name, metadata } of store.list(dataBlob.prefixOf(plan))) {
      if (readPartMetadata(metadata).gone > 0) parts.push(partNumber(name))
    }
    const limit = createLimit(concurrency)
    const gone = new Map<string, OtherCustomer>()
    // Whoever left and stands in an index that cannot be read is asked once more, and found to have left again.
    const readIndex = (part: number) =>
      reader.readIndex(plan, part).catch(error => {
        if (!isUnreadable(error)) throw error
        return { customers: [] }
      })
    for await (const { customers } of inOrder(parts, concurrency, part => limit(() => readIndex(part)))) {
      for (const entry of customers) {
        if (!isGone(entry)) continue
        const { customerTenantId: id, lastRead: knownIn, readIn } = entry
        gone.set(id, { id, gone: true, ...(knownIn && { knownIn }), ...(readIn && { readIn }) })
      }
    }
    return gone
  }

  /**
   * Without those that left and whose last run is no longer kept: nothing more can be told of them. Who left without ever
   * being read is new on its return, and stays known.
   */
  async function stillKept(others: readonly OtherCustomer[]): Promise<OtherCustomer[]> {
    if (others.length === 0) return []
    const oldest = (await runs.oldestDate()) ?? ''
    return others.filter(({ gone, knownIn = '', readIn = '' }) => {
      const last = knownIn > readIn ? knownIn : readIn
      return gone !== true || last === '' || dateOf(last) >= oldest
    })
  }

  const nothing: KnownCustomers = { planned: [], others: [], incomplete: true }

  async function readNewer(plan: Plan): Promise<Map<string, string>> {
    const newer = new Map<string, string>()
    for (const { id, readIn } of await readOthers(store, plan)) if (readIn !== undefined) newer.set(id, readIn)
    const limit = createLimit(concurrency)
    const indexes = inOrder([...plan.parts.keys()], concurrency, part => limit(() => reader.readIndex(plan, part)))
    for await (const { customers } of indexes) {
      for (const entry of customers) {
        const run = isRead(entry) ? plan.snapshotId : entry.readIn
        if (run !== undefined) newer.set(entry.customerTenantId, run)
      }
    }
    return newer
  }

  async function known(base: string, call: Call): Promise<KnownCustomers> {
    try {
      const plan = await reader.readPlan({ snapshotId: base })
      if (plan === undefined) return nothing
      const gone = await readGone(plan)
      const others = await stillKept([...(await readOthers(store, plan)), ...gone.values()])
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

  async function newer(previous: string, call: Call): Promise<Map<string, string>> {
    try {
      const plan =
        (await reader.readPlan({ snapshotId: previous })) ??
        (await reader.readPlan({ snapshotId: previous, following: true }))
      const isSmaller = plan?.partial === true || plan?.following === true
      return plan !== undefined && isSmaller ? await readNewer(plan) : new Map()
    } catch (error) {
      if (!isUnreadable(error)) throw error
      call.log('warn', 'readings_unknown', { previous, why: error.message })
      return new Map()
    }
  }

  return { known, newer }
}
