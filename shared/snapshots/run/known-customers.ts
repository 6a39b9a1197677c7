import * as z from 'zod'
import { inOrder } from '../../runtime/in-order.ts'
import { describeError } from '../../runtime/log.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import { decodeLines } from '../storage/codec.ts'
import type { FindRuns } from '../storage/find-runs.ts'
import { changesFolder, dateOf, partNumber } from '../storage/layout.ts'
import { dataBlob } from '../storage/part-blobs.ts'
import { readPartMetadata } from '../storage/part-metadata.ts'
import {
  type NewerRuns,
  newerRun,
  type Plan,
  packCustomer,
  readAllPlanned,
  readOthers,
  reportingRun,
} from '../storage/plan-blob.ts'
import type { SnapshotReader } from '../storage/reader.ts'
import { isGone, isRead, type OtherCustomer } from '../storage/shapes.ts'
import { isUnreadable } from '../storage/storage-errors.ts'
import type { Store } from '../storage/store.ts'

/** The customers that a run knows. */
export type KnownCustomers = {
  /** Customers that the run planned and that did not leave, packed. */
  planned: string[]
  /** Customers that the run knows from other runs. */
  others: OtherCustomer[]
  /** True if the list may be incomplete: the run cannot be read, or its own customer list ended early. */
  incomplete: boolean
}

export type ReadKnown = {
  /** The customers that the baseline run knows. */
  known: (base: string, operation: OperationContext) => Promise<KnownCustomers>
  /**
   * The customers that smaller runs read after the baseline run, with the id of that run. `previous` is the run before
   * this one.
   */
  newer: (previous: string | undefined, base: string | undefined, operation: OperationContext) => Promise<NewerRuns>
}

type Options = { store: Store; reader: SnapshotReader; runs: FindRuns }

/** The most indexes that are read at a time. */
const concurrency = 16

const changeSchema = z.looseObject({ customerTenantId: z.string() })

const none: NewerRuns = { newest: new Map(), reported: new Map() }

/**
 * Reads the customers that the baseline run knows. Damage costs the unreadable part of them but does not fail the plan.
 */
export function createReadKnown({ store, reader, runs }: Options): ReadKnown {
  /** Customers that left, according to the run. The metadata of each part has their number. */
  async function readGone(plan: Plan): Promise<Map<string, OtherCustomer>> {
    const parts: number[] = []
    for await (const { name, metadata } of store.list(dataBlob.prefixOf(plan))) {
      if (readPartMetadata(metadata).gone > 0) parts.push(partNumber(name))
    }
    const gone = new Map<string, OtherCustomer>()
    // A customer that left and whose index is unreadable is read again, and found to have left again.
    const readIndex = (part: number) =>
      reader.readIndex(plan, part).catch(error => {
        if (!isUnreadable(error)) throw error
        return { customers: [] }
      })
    for await (const { customers } of inOrder(parts, concurrency, readIndex)) {
      for (const entry of customers) {
        if (!isGone(entry)) continue
        const { customerTenantId: id, lastRead: knownIn, readIn } = entry
        gone.set(id, { id, gone: true, ...(knownIn && { knownIn }), ...(readIn && { readIn }) })
      }
    }
    return gone
  }

  /**
   * Removes customers that left and whose last run was deleted, because nothing more can be reported about them. A
   * customer that left without ever being read is kept: its orders are `created` if it returns.
   */
  async function stillKept(others: readonly OtherCustomer[]): Promise<OtherCustomer[]> {
    if (others.length === 0) return []
    const oldest = (await runs.oldestDate()) ?? ''
    return others.filter(({ gone, knownIn = '', readIn = '' }) => {
      const last = knownIn > readIn ? knownIn : readIn
      return gone !== true || last === '' || dateOf(last) >= oldest
    })
  }

  const unreadable: KnownCustomers = { planned: [], others: [], incomplete: true }

  async function readNewer(plan: Plan): Promise<NewerRuns> {
    const newest = new Map<string, string>()
    const reported = new Map<string, string>()
    const note = (id: string, readIn: string | undefined, toldIn: string | undefined) => {
      if (readIn !== undefined) newest.set(id, readIn)
      if (toldIn !== undefined) reported.set(id, toldIn)
    }
    for (const { id, readIn, toldIn } of await readOthers(store, plan)) note(id, readIn, toldIn)
    for await (const customers of readAllPlanned(store, plan)) {
      for (const customer of customers) note(customer[0], newerRun(customer), reportingRun(customer))
    }
    const indexes = inOrder([...plan.parts.keys()], concurrency, part => reader.readIndex(plan, part))
    for await (const { customers } of indexes) {
      for (const entry of customers) {
        if (!isRead(entry)) note(entry.customerTenantId, entry.readIn, undefined)
        else note(entry.customerTenantId, plan.snapshotId, plan.following === true ? plan.snapshotId : undefined)
      }
    }
    return { newest, reported }
  }

  async function known(base: string, operation: OperationContext): Promise<KnownCustomers> {
    try {
      const plan = await reader.readPlan({ snapshotId: base })
      if (plan === undefined) return unreadable
      const gone = await readGone(plan)
      const others = await stillKept([...(await readOthers(store, plan)), ...gone.values()])
      const planned: string[] = []
      for await (const customers of readAllPlanned(store, plan)) {
        for (const [id, name] of customers) if (!gone.has(id)) planned.push(packCustomer(id, name))
      }
      return { planned, others, incomplete: plan.incomplete === true }
    } catch (error) {
      if (!isUnreadable(error)) throw error
      operation.log('warn', 'comparison_lost', { base, why: error.message })
      return unreadable
    }
  }

  /**
   * The previous run is damaged. The changes blobs also name the customers that were reported since the baseline run.
   */
  async function readReported(base: string | undefined, operation: OperationContext): Promise<NewerRuns> {
    const reported = new Map<string, string>()
    for await (const { snapshotId, following, onlyChanges } of base === undefined ? [] : runs.placesAfter(base)) {
      const counts = onlyChanges || (following === true && (await runs.finished(snapshotId))?.status !== 'failed')
      for await (const { name, metadata } of counts ? store.list(changesFolder({ snapshotId })) : []) {
        if (metadata.following !== 'true') continue
        try {
          const lines = await decodeLines((await store.read(name))?.body ?? Buffer.alloc(0))
          for (const line of lines)
            reported.set(changeSchema.parse(JSON.parse(line.toString('utf8'))).customerTenantId, snapshotId)
        } catch (error) {
          operation.log('warn', 'readings_unknown', { previous: snapshotId, why: describeError(error) })
        }
      }
    }
    return { newest: reported, reported }
  }

  async function newer(
    previous: string | undefined,
    base: string | undefined,
    operation: OperationContext,
  ): Promise<NewerRuns> {
    if (previous === undefined || previous === base) return none
    try {
      const plan = await reader.findPlan({ snapshotId: previous })
      if (plan === undefined) return await readReported(base, operation)
      return plan.partial || plan.following === true ? await readNewer(plan) : none
    } catch (error) {
      if (!isUnreadable(error)) throw error
      operation.log('warn', 'readings_unknown', { previous, why: error.message })
      return readReported(base, operation)
    }
  }

  return { known, newer }
}
