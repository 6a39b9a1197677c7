import type { Customer } from '../../partner-center/customers.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import { planBlob } from '../storage/layout.ts'
import { idOf, type NewerRuns, type Plan, packCustomer, writePlan } from '../storage/plan-blob.ts'
import type { SnapshotReader } from '../storage/reader.ts'
import type { Current, OtherCustomer } from '../storage/shapes.ts'
import { corrupt } from '../storage/storage-errors.ts'
import type { Store } from '../storage/store.ts'
import type { KnownCustomers, ReadKnown } from './known-customers.ts'

/** Lists the customers of a run and writes its plan, unless the plan exists. Undefined if the run ended meanwhile. */
export type PlanRun = (run: Current, operation: OperationContext) => Promise<Plan | undefined>

type Options = {
  store: Store
  reader: SnapshotReader
  /** All customers of the partner, page by page, within the rate limit. */
  readCustomers: (operation: OperationContext, onCutShort: () => void) => AsyncGenerator<Customer[]>
  /** False if the run has ended or is being ended, so that listing its customers would waste requests. */
  isWanted: (run: Current) => Promise<boolean>
  /** The names of some customers, within the rate limit. An empty text for a name that cannot be read. */
  readNames: (customerTenantIds: readonly string[], operation: OperationContext) => Promise<string[]>
  /** The customers that the baseline run knows. */
  readKnown: ReadKnown
  /** The time up to which the log was followed when a run started. Undefined if it is not followed. */
  readFollowedThrough: (startedAt: string) => Promise<string | undefined>
  /** If set, snapshots contain only these customers. */
  configuredCustomers: readonly string[] | undefined
  customersPerPart: number
  requestsPerMinute: number
}

/** The most minutes of a part at a low rate limit. It is well below the time limit of a function. */
const partMinutes = 10

const nothingKnown: KnownCustomers = { planned: [], others: [], incomplete: true }

/** Sorted by id, without duplicates. */
function inOrderOfIds(packed: string[]): string[] {
  packed.sort()
  return packed.filter((customer, at) => idOf(customer) !== idOf(packed[at - 1] ?? ''))
}

/** The customers of other runs, updated with the readings of smaller runs. */
function withNewer(others: readonly OtherCustomer[], { newest, reported }: NewerRuns): OtherCustomer[] {
  const byId = new Map(others.map(other => [other.id, other]))
  for (const [id, readIn] of newest) byId.set(id, { ...byId.get(id), id, readIn })
  for (const [id, toldIn] of reported) byId.set(id, { ...byId.get(id), id, toldIn })
  return [...byId.values()]
}

/** True if orders of the customer are reported as created and not yet as removed. */
const isStillKnown = ({ gone, knownIn, toldIn }: OtherCustomer): boolean =>
  toldIn !== undefined || (gone === undefined && knownIn !== undefined)

type LeftOut = { unlisted: string[]; others: OtherCustomer[] }

/**
 * A known customer that is not in the list is still read, because a list that ends early must not remove a customer.
 */
const readAgain = (leftOut: readonly string[], others: readonly OtherCustomer[]): LeftOut => ({
  unlisted: [...leftOut, ...others.filter(isStillKnown).map(({ id }) => packCustomer(id, ''))],
  others: others.filter(other => !isStillKnown(other)),
})

/** With `SNAPSHOT_CUSTOMERS`, other customers are not read. The plan keeps the run that knows them. */
const skipUnconfigured = (
  leftOut: readonly string[],
  others: readonly OtherCustomer[],
  base: string | undefined,
): LeftOut => ({
  unlisted: [],
  others: [...others, ...(base === undefined ? [] : leftOut.map(each => ({ id: idOf(each), knownIn: base })))],
})

export function createPlanRun(options: Options): PlanRun {
  const { store, reader, configuredCustomers, requestsPerMinute } = options
  const customersPerPart = Math.max(1, Math.min(options.customersPerPart, requestsPerMinute * partMinutes))

  /** The customers to read. `isShort` is true if the partner may have others. Undefined if the run ended meanwhile. */
  async function listCustomers(
    run: Current,
    operation: OperationContext,
  ): Promise<{ listed: string[]; isShort: boolean } | undefined> {
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
      if (!(await options.isWanted(run))) return undefined
    }
    return { listed: inOrderOfIds(all), isShort }
  }

  /**
   * The known customers to read besides the listed ones, and those only to keep in the plan. A run over some customers
   * reads no others.
   */
  function splitKnown(isWhole: boolean, leftOut: readonly string[], others: OtherCustomer[], base: string | undefined) {
    if (!isWhole) return { unlisted: [], others }
    return configuredCustomers === undefined ? readAgain(leftOut, others) : skipUnconfigured(leftOut, others, base)
  }

  return async (run, operation) => {
    const present = await reader.readPlan(run)
    if (present !== undefined) return present
    const { snapshotId, startedAt, trigger, base, previous, following } = run
    const partial = run.customers !== undefined && following !== true
    const found = await listCustomers(run, operation)
    if (found === undefined) return undefined
    const { listed, isShort } = found
    const isWhole = run.customers === undefined
    const known = base === undefined || !isWhole ? nothingKnown : await options.readKnown.known(base, operation)
    const newer = await options.readKnown.newer(previous, base, operation)
    const followedThrough = isWhole ? await options.readFollowedThrough(startedAt) : undefined

    const listedIds = new Set(listed.map(idOf))
    const isListed = (id: string): boolean => listedIds.has(id)
    const leftOut = known.planned.filter(customer => !isListed(idOf(customer)))
    const plannedBefore = new Set(known.planned.map(idOf))
    const knownElsewhere = withNewer(known.others, newer).filter(({ id }) => !plannedBefore.has(id) && !isListed(id))
    const { unlisted, others } = splitKnown(isWhole, leftOut, knownElsewhere, base)
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
