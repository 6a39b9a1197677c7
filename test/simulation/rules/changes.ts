import type { Customers } from '../customers.ts'
import type { Findings } from '../findings.ts'
import { shortId } from '../trace.ts'
import type { Upstream } from '../upstream.ts'
import type { RunContents, Told } from './contents.ts'
import type { SeenRun } from './runs.ts'

/** The state of a customer according to whole runs so far. */
type Known = {
  /** The orders in the newest whole run that read the customer. 'gone' if it had left by then. */
  last: string[] | 'gone' | undefined
  /** That run. */
  source: SeenRun | undefined
  /** True if the customer came after the first run, so that its orders are created. */
  isNew: boolean
  /** A run with a damaged base may have lost the state, or taken the customer for a new one. */
  isDoubtful: boolean
  /** The customer was absent, and a run could not know it. Its orders may or may not be reported as created. */
  wasAway: boolean
}

type Options = {
  findings: Findings
  upstream: Upstream
  customers: Customers
  /** True if `SNAPSHOT_CUSTOMERS` was set at some time since then. */
  wasConfigured: (from: number) => boolean
}

const byId = (orders: readonly string[]): Map<string, string> =>
  new Map(orders.map(json => [(JSON.parse(json) as { id: string }).id, json]))

function differences(before: readonly string[], now: readonly string[]): Map<string, string> {
  const changes = new Map<string, string>()
  const [old, present] = [byId(before), byId(now)]
  for (const [id, json] of present) {
    if (!old.has(id)) changes.set(id, 'created')
    else if (old.get(id) !== json) changes.set(id, 'updated')
  }
  for (const id of old.keys()) if (!present.has(id)) changes.set(id, 'removed')
  return changes
}

/**
 * Changes are the differences between two readings of a customer: none false, none twice, and none missing unless a
 * blob was lost.
 */
export function createChangeRules({ findings, upstream, customers, wasConfigured }: Options) {
  const known = new Map<string, Known>()
  const whole: RunContents[] = []
  /** These, and following runs: all runs that report changes. */
  const tellers: RunContents[] = []
  /** The state of a caller that applied every change since the first run. */
  const replayed = new Map<string, Map<string, string>>()
  /** True if the newest whole run may have missed customers that no other run knows. */
  let isListDoubtful = false

  const base = () => whole.at(-1)?.run

  /** The present orders of the customer, as far as the run can know. Undefined if it cannot. */
  function presentOrders(id: string, { run, planned, read, gone }: RunContents): string[] | undefined {
    const isAbsent = !planned.has(id) && !wasConfigured(run.startedAt) && !customers.wasListed(id, run.startedAt)
    return gone.has(id) || isAbsent ? [] : read.get(id)
  }

  function knownOf(id: string): Known {
    const first = whole[0]?.run
    const isNew = first !== undefined && !customers.wasListed(id, first.startedAt, first.endedAt)
    const wasAway = whole.some(({ run }) => !customers.wasListed(id, run.startedAt, run.endedAt))
    const fresh = { last: undefined, source: undefined, isNew, isDoubtful: isListDoubtful, wasAway: wasAway && !isNew }
    return known.get(id) ?? fresh
  }

  function expected(now: readonly string[] | undefined, { last, isNew }: Known): Map<string, string> {
    if (now === undefined || (last === undefined && !isNew)) return new Map()
    return differences(last === undefined || last === 'gone' ? [] : last, now)
  }

  function replay(id: string, contents: RunContents, told: readonly Told[], isTrusted: boolean): void {
    const now = presentOrders(id, contents)
    if (now === undefined) return
    const state = replayed.get(id)
    for (const { kind, orderId, line } of told) {
      if (kind === 'removed') state?.delete(orderId)
      else state?.set(orderId, JSON.stringify((JSON.parse(line) as { order: unknown }).order))
    }
    const held = byId(now)
    if (state !== undefined && isTrusted && [...state.values()].sort().join() !== [...held.values()].sort().join()) {
      findings.broken('replaying all changes gives the newest snapshot', `${contents.run.id} ${shortId(id)}`)
    }
    replayed.set(id, held)
  }

  /** True if the customer was absent, and the only run with it is damaged. */
  function isForgotten(id: string, { source, isDoubtful }: Known, run: SeenRun): boolean {
    const hasLost = source !== undefined && (isDoubtful || source.isDamaged)
    return hasLost && !customers.wasListed(id, source.endedAt ?? 0, run.startedAt)
  }

  function check(id: string, contents: RunContents): void {
    const { run } = contents
    const before = knownOf(id)
    const told = contents.told.filter(change => change.customerTenantId === id)
    const wanted = expected(presentOrders(id, contents), before)
    const seen = new Set<string>()
    for (const { kind, orderId } of told) {
      const what = `${run.id} ${shortId(id)} ${kind} ${orderId}`
      const isReturn = kind === 'created' && contents.read.has(id) && (before.wasAway || isForgotten(id, before, run))
      // A following run that was deleted with its changes has reported what is reported again now.
      const isRepeated = before.source?.isFollowing === true && before.source.isDamaged
      if (wanted.get(orderId) !== kind && !isReturn && !isRepeated) findings.broken(`no false ${kind}`, what)
      if (seen.has(orderId)) findings.broken('no change is repeated', what)
      seen.add(orderId)
    }
    const isTrusted = !before.isDoubtful && !before.wasAway && !before.source?.isDamaged && !base()?.isDamaged
    for (const [orderId, kind] of isTrusted ? wanted : []) {
      if (!seen.has(orderId)) findings.broken('no change is missing', `${run.id} ${shortId(id)} ${kind} ${orderId}`)
    }
    if (!known.has(id) && before.isNew) replayed.set(id, new Map())
    replay(id, contents, told, isTrusted)
  }

  /** Checks that the plan has all customers that are listed or were known. */
  function checkPlan({ run, planned }: RunContents): void {
    if (wasConfigured(run.startedAt)) return
    const isCut = upstream.earlyEnds.some(at => at >= run.startedAt)
    const last = whole.at(-1)
    for (const { id } of customers.all()) {
      if (planned.has(id)) continue
      if (!isCut && customers.wasListed(id, run.startedAt)) {
        findings.broken('every listed customer is planned', `${run.id} ${shortId(id)}`)
      }
      const wasKnown = last?.planned.has(id) === true && !last.gone.has(id)
      if (wasKnown && !last.run.isDamaged)
        findings.broken('every known customer is planned', `${run.id} ${shortId(id)}`)
    }
  }

  /** Updates what later runs can know about a customer after this run. */
  function learn(id: string, contents: RunContents): void {
    const { run, planned, read, gone, told } = contents
    const before = knownOf(id)
    const isTold = planned.has(id) || told.some(({ customerTenantId }) => customerTenantId === id)
    const orders = read.get(id)
    const now = gone.has(id) || (isTold && !planned.has(id)) ? 'gone' : orders
    if (now !== undefined) known.set(id, { ...before, last: now, source: run, isDoubtful: false, wasAway: false })
    else {
      const isAway = !isTold && !wasConfigured(run.startedAt) && !customers.wasListed(id, run.startedAt)
      const isDoubtful = before.isDoubtful || base()?.isDamaged === true
      known.set(id, { ...before, isDoubtful, wasAway: before.wasAway || isAway })
    }
  }

  return {
    /** Checks the changes of a run that has just ended. */
    read(contents: RunContents): void {
      const { run, planned, read, told } = contents
      if (run.manifest === undefined) return
      if (run.isPartial && !run.isFollowing && told.length > 0)
        findings.broken('a run over some customers reports no changes', run.id)
      if ((run.isPartial && !run.isFollowing) || run.manifest.status === 'failed') return
      tellers.push(contents)
      if (run.isFollowing) {
        for (const id of planned) check(id, contents)
        for (const id of read.keys()) learn(id, contents)
        return
      }
      checkPlan(contents)
      const ids = new Set([...planned, ...told.map(({ customerTenantId }) => customerTenantId)])
      for (const id of ids) check(id, contents)
      for (const id of new Set([...known.keys(), ...ids])) learn(id, contents)
      const isShort = wasConfigured(run.startedAt) || upstream.earlyEnds.some(at => at >= run.startedAt)
      isListDoubtful = isShort && (whole.length === 0 || isListDoubtful || base()?.isDamaged === true)
      whole.push(contents)
    },
    tellers: () => tellers,
  }
}
