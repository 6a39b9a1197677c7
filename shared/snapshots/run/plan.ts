import type { Customer } from '../../partner-center/customers.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import { planBlob } from '../storage/layout.ts'
import { idOf, type NewerReadings, type Plan, packCustomer, writePlan } from '../storage/plan-blob.ts'
import type { SnapshotReader } from '../storage/reader.ts'
import type { Current, OtherCustomer } from '../storage/shapes.ts'
import { corrupt } from '../storage/storage-errors.ts'
import type { Store } from '../storage/store.ts'
import type { KnownCustomers, ReadKnown } from './known-customers.ts'

/** Lists the customers of a run and writes its plan, unless there is one. */
export type PlanRun = (run: Current, operation: OperationContext) => Promise<Plan>

type Options = {
  store: Store
  reader: SnapshotReader
  /** Every customer of the partner, page by page, within the rate limit. */
  readCustomers: (operation: OperationContext, onCutShort: () => void) => AsyncGenerator<Customer[]>
  /** Names of some customers, within the rate limit; an empty text for those whose name cannot be read. */
  readNames: (customerTenantIds: readonly string[], operation: OperationContext) => Promise<string[]>
  /** What the run compared with knows. */
  readKnown: ReadKnown
  /** Up to when the activity log was followed when a run started, if it is followed. */
  readFollowedThrough: (startedAt: string) => Promise<string | undefined>
  /** If set, only these are in a snapshot. */
  configuredCustomers: readonly string[] | undefined
  customersPerPart: number
  requestsPerMinute: number
}

/** However low the rate limit, a part takes no more than about this many minutes, well below the time limit of a function. */
const partMinutes = 10

const nothingKnown: KnownCustomers = { planned: [], others: [], incomplete: true }

/** Sorted by id, each once. */
function inOrderOfIds(packed: string[]): string[] {
  packed.sort()
  return packed.filter((customer, at) => idOf(customer) !== idOf(packed[at - 1] ?? ''))
}

/** The customers of other runs, with what smaller runs read since. */
function withNewer(others: readonly OtherCustomer[], { newest, told }: NewerReadings): OtherCustomer[] {
  const byId = new Map(others.map(other => [other.id, other]))
  for (const [id, readIn] of newest) byId.set(id, { ...byId.get(id), id, readIn })
  for (const [id, toldIn] of told) byId.set(id, { ...byId.get(id), id, toldIn })
  return [...byId.values()]
}

/** Orders of the customer were told as created, and not yet as removed. */
const isStillKnown = ({ gone, knownIn, toldIn }: OtherCustomer): boolean =>
  toldIn !== undefined || (gone === undefined && knownIn !== undefined)

type LeftOut = { unlisted: string[]; others: OtherCustomer[] }

/** Whoever is not in the list and did not leave is asked like the others: a list that was cut short removes nobody. */
const askAgain = (leftOut: readonly string[], others: readonly OtherCustomer[]): LeftOut => ({
  unlisted: [...leftOut, ...others.filter(isStillKnown).map(({ id }) => packCustomer(id, ''))],
  others: others.filter(other => !isStillKnown(other)),
})

/** With `SNAPSHOT_CUSTOMERS` the others are not asked; the run that knows them is kept for when they are. */
const passOver = (leftOut: readonly string[], others: readonly OtherCustomer[], base: string | undefined): LeftOut => ({
  unlisted: [],
  others: [...others, ...(base === undefined ? [] : leftOut.map(each => ({ id: idOf(each), knownIn: base })))],
})

export function createPlanRun(options: Options): PlanRun {
  const { store, reader, configuredCustomers, requestsPerMinute } = options
  const customersPerPart = Math.max(1, Math.min(options.customersPerPart, requestsPerMinute * partMinutes))

  /** The customers to read, and whether the partner may have others. */
  async function listCustomers(
    run: Current,
    operation: OperationContext,
  ): Promise<{ listed: string[]; isShort: boolean }> {
    const some = (packed: string[]) => ({ listed: inOrderOfIds(packed), isShort: true })
    if (run.customers !== undefined) return some(run.customers.map(([id, name]) => packCustomer(id, name)))
    if (configuredCustomers !== undefined) {
      const ids = [...new Set(configuredCustomers)]
      const names = await options.readNames(ids, operation)
      return some(ids.map((id, at) => packCustomer(id, names[at] ?? '')))
    }
    const all: string[] = []
    let isShort = false
    const onCutShort = () => {
      isShort = true
      operation.log('warn', 'customer_list_cut_short', { snapshotId: run.snapshotId })
    }
    for await (const page of options.readCustomers(operation, onCutShort)) {
      for (const { customerTenantId, companyName } of page) all.push(packCustomer(customerTenantId, companyName))
    }
    return { listed: inOrderOfIds(all), isShort }
  }

  /** Whom to ask besides those listed, and whom only to remember. A run over some customers asks nobody else. */
  function sortOut(isWhole: boolean, leftOut: readonly string[], others: OtherCustomer[], base: string | undefined) {
    if (!isWhole) return { unlisted: [], others }
    return configuredCustomers === undefined ? askAgain(leftOut, others) : passOver(leftOut, others, base)
  }

  return async (run, operation) => {
    const present = await reader.readPlan(run)
    if (present !== undefined) return present
    const { snapshotId, startedAt, trigger, base, previous, following } = run
    const partial = run.customers !== undefined && following !== true
    const { listed, isShort } = await listCustomers(run, operation)
    const isWhole = run.customers === undefined
    const known = base === undefined || !isWhole ? nothingKnown : await options.readKnown.known(base, operation)
    const newer = await options.readKnown.newer(previous, base, operation)
    const followedThrough = isWhole ? await options.readFollowedThrough(startedAt) : undefined

    const listedIds = new Set(listed.map(idOf))
    const isListed = (id: string): boolean => listedIds.has(id)
    const leftOut = known.planned.filter(customer => !isListed(idOf(customer)))
    const plannedBefore = new Set(known.planned.map(idOf))
    const ofOthers = withNewer(known.others, newer).filter(({ id }) => !plannedBefore.has(id) && !isListed(id))
    const { unlisted, others } = sortOut(isWhole, leftOut, ofOthers, base)
    const customers = inOrderOfIds([...listed, ...unlisted])
    const planned = new Set(customers.map(idOf))
    await writePlan(store, run, {
      head: {
        snapshotId,
        startedAt,
        trigger,
        partial,
        following,
        base,
        previous,
        incomplete: known.incomplete && isShort,
        followedThrough,
      },
      customers,
      unlisted: new Set(unlisted.map(idOf)),
      newer,
      others: withNewer(others, newer).filter(({ id }) => !planned.has(id)),
      customersPerPart,
    })
    const plan = await reader.readPlan(run)
    if (plan === undefined) throw corrupt(planBlob(run))
    return plan
  }
}
