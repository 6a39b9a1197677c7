import type { Customers } from '../customers.ts'
import type { Findings } from '../findings.ts'
import type { Scheduler } from '../scheduler.ts'
import { shortId } from '../trace.ts'
import type { Upstream } from '../upstream.ts'
import type { RunContents, Told } from './contents.ts'
import type { SeenRun } from './runs.ts'

type Known = {
  /** Of the newest whole run in which the customer was read; 'gone' if it had left by then. */
  last: string[] | 'gone' | undefined
  /** Its run. */
  source: SeenRun | undefined
  /** It was absent, and a run could not know it: its orders may be told as new, or not. */
  wasAway: boolean
  /** First planned when there was a run to compare with: its orders are news. */
  isNew: boolean
}

type Options = {
  findings: Findings
  scheduler: Scheduler
  upstream: Upstream
  customers: Customers
  /** True for worlds with `SNAPSHOT_CUSTOMERS`: nothing is told of customers that are not planned. */
  isConfigured: boolean
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

/** Changes are those between two readings of a customer: none false, none twice, and none left out unless a blob was lost. */
export function createChangeRules({ findings, scheduler, upstream, customers, isConfigured }: Options) {
  const known = new Map<string, Known>()
  const whole: RunContents[] = []
  /** What somebody knows who has applied every change since the first run. */
  const replayed = new Map<string, Map<string, string>>()

  /** True if a comparison with what the run was compared with may have been lost. */
  const isLost = ({ source }: Known): boolean => source?.isDamaged === true || whole.at(-1)?.run.isDamaged === true

  /** What the customer has now, as far as the run can know; undefined if it cannot. */
  function presentOrders(id: string, { run, planned, read, gone }: RunContents): string[] | undefined {
    const hasLeft = gone.has(id) || (!planned.has(id) && !customers.wasListedSince(id, run.startedAt))
    return hasLeft ? [] : read.get(id)
  }

  const unknown = (): Known => ({ last: undefined, source: undefined, wasAway: false, isNew: whole.length > 0 })

  function expected(id: string, contents: RunContents): Map<string, string> {
    const now = presentOrders(id, contents)
    const { last, isNew } = known.get(id) ?? unknown()
    if (now === undefined) return new Map()
    if (last === undefined) return isNew ? differences([], now) : new Map()
    return differences(last === 'gone' ? [] : last, now)
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

  function check(id: string, contents: RunContents): void {
    const { run } = contents
    const before = known.get(id)
    const told = contents.told.filter(change => change.customerTenantId === id)
    const wanted = expected(id, contents)
    const seen = new Set<string>()
    for (const { kind, orderId } of told) {
      const what = `${run.id} ${shortId(id)} ${kind} ${orderId}`
      const isReturn = before?.wasAway === true && kind === 'created' && contents.read.has(id)
      if (wanted.get(orderId) !== kind && !isReturn) findings.broken(`no false ${kind}`, what)
      if (seen.has(orderId)) findings.broken('no change twice', what)
      seen.add(orderId)
    }
    // A list that was cut short beside a run that is gone: nobody can tell a new customer from a forgotten one.
    const isBlind = upstream.cutLists.length > 0 && whole.some(each => each.run.isDamaged)
    const isNewTrusted = whole.at(-1)?.run.isDamaged !== true && !isBlind
    const isTrusted = before === undefined ? isNewTrusted : !before.wasAway && !isLost(before)
    if (isTrusted) {
      for (const [orderId, kind] of wanted) {
        if (!seen.has(orderId)) findings.broken('no change is left out', `${run.id} ${shortId(id)} ${kind} ${orderId}`)
      }
    }
    if (before === undefined && whole.length > 0) replayed.set(id, new Map())
    replay(id, contents, told, isTrusted)
  }

  /** Everybody is asked who is listed or was known before. */
  function checkPlan({ run, planned }: RunContents): void {
    const isCut = upstream.cutLists.some(at => at >= run.startedAt)
    for (const { id } of customers.all()) {
      if (planned.has(id) || isConfigured) continue
      if (!isCut && customers.wasListedSince(id, run.startedAt)) {
        findings.broken('who is listed is planned', `${run.id} ${shortId(id)}`)
      }
      const base = whole.at(-1)
      const wasKnown = base?.planned.has(id) === true && !base.gone.has(id)
      if (wasKnown && !base.run.isDamaged) findings.broken('who was known is planned', `${run.id} ${shortId(id)}`)
    }
  }

  return {
    /** Checks the changes of a run that has just ended. */
    read(contents: RunContents): void {
      const { run, planned, told } = contents
      if (run.manifest === undefined) return
      if (run.isPartial && told.length > 0) findings.broken('a run over some customers tells nothing', run.id)
      if (run.isPartial || run.manifest.status === 'failed') return
      checkPlan(contents)
      const ids = new Set([...planned, ...told.map(({ customerTenantId }) => customerTenantId)])
      for (const id of ids) check(id, contents)
      for (const [id, customer] of known) {
        if (!ids.has(id) && !customers.wasListedSince(id, run.startedAt)) customer.wasAway = true
      }
      for (const id of ids) {
        const before = known.get(id) ?? unknown()
        const orders = contents.read.get(id)
        const isGone = contents.gone.has(id) || !planned.has(id)
        if (isGone) known.set(id, { ...before, last: 'gone', source: run, wasAway: false })
        else if (orders !== undefined) known.set(id, { ...before, last: orders, source: run, wasAway: false })
        else known.set(id, before)
      }
      whole.push(contents)
    },
    wholeRuns: () => whole,
    now: scheduler.now,
  }
}

export type ChangeRules = ReturnType<typeof createChangeRules>
