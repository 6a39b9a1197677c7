import { isAppError } from '../../shared/errors.ts'
import type { ChangeFilter, FeedPosition } from '../../shared/snapshots/changes/changes-feed.ts'
import type { Ask } from './client.ts'
import type { Customers } from './customers.ts'
import type { Findings } from './findings.ts'
import type { Random } from './random.ts'
import type { RunContents, Told } from './rules/contents.ts'

type Poller = {
  filter: ChangeFilter
  top: number
  position: FeedPosition | undefined
  /** The changes since `position` was the end. */
  seen: ChangeName[]
  /** Runs that had lost a blob when the poller started. Their changes may or may not be reported. */
  ignored: ReadonlySet<string>
  /** The run after which the poller started. */
  since: string
  isBusy: boolean
  /** Increases when a deletion restarts the poller. A response to an older generation is dropped. */
  generation: number
}

type Options = {
  ask: Ask
  random: Random
  customers: Customers
  findings: Findings
  tellers: () => readonly RunContents[]
  /** The run that `latest.json` names. */
  latest: () => string
  wasDamaged: () => boolean
  /** True once the expected changes are no longer known. */
  isUnknown: () => boolean
}

type ChangeName = { id: string; snapshotId: string }

const nameOf = (line: string): ChangeName => JSON.parse(line) as ChangeName

const matches = ({ customerTenantId, kind }: Told, filter: ChangeFilter): boolean =>
  (filter.customerTenantId ?? customerTenantId) === customerTenantId && (filter.kind ?? kind) === kind

/** Flows that poll for changes, each with its filter and page size. Each must see every change once and in order. */
export function createPollers({ ask, random, customers, findings, tellers, latest, wasDamaged, isUnknown }: Options) {
  function create(): Poller {
    const filter: ChangeFilter = {}
    const kind = random.between(1, 4)
    if (kind === 3) filter.kind = random.pick(['created', 'updated', 'removed'] as const)
    const all = customers.all()
    if (kind === 4 && all.length > 0) filter.customerTenantId = random.pick(all).id
    const top = random.pick([1, 2, 3, 7, 500])
    return { filter, top, position: undefined, seen: [], ignored: new Set(), since: '', isBusy: false, generation: 0 }
  }

  const pollers = Array.from({ length: 3 }, create)

  function begin(poller: Poller): void {
    poller.isBusy = true
    const { generation } = poller
    const newestBefore = latest()
    ask(
      'the end of the changes',
      ({ changes }) => changes.end(),
      outcome => {
        poller.isBusy = false
        if (outcome === 'lost' || 'error' in outcome || generation !== poller.generation) return
        const { snapshotId } = outcome.value
        if (snapshotId < newestBefore && !wasDamaged()) {
          findings.broken('a new poller sees only later changes', `${snapshotId} instead of ${newestBefore}`)
        }
        const ignored = new Set(tellers().flatMap(({ run }) => (run.isDamaged ? [run.id] : [])))
        Object.assign(poller, { position: outcome.value, since: snapshotId, seen: [], ignored })
      },
    )
  }

  function expected({ since, filter, ignored }: Poller): string[] {
    const runs = tellers().filter(({ run }) => run.id > since && !ignored.has(run.id))
    return runs.flatMap(({ told }) => told.filter(change => matches(change, filter)).map(({ line }) => nameOf(line).id))
  }

  function check(poller: Poller, isComplete: boolean): void {
    if (isUnknown()) return
    const wanted = expected(poller)
    const { filter, top } = poller
    const seen = poller.seen.filter(({ snapshotId }) => !poller.ignored.has(snapshotId)).map(({ id }) => id)
    const who = `a poller of ${JSON.stringify(filter)} by ${top} since ${poller.since}`
    const at = seen.findIndex((id, index) => id !== wanted[index])
    if (at >= 0) findings.broken('a poller sees each change once, in order', `${who}: ${at + 1}. is ${seen[at]}`)
    else if (isComplete && seen.length < wanted.length) {
      findings.broken('a poller sees every change', `${who}: ${seen.length} of ${wanted.length}`)
    }
  }

  function poll(poller: Poller, then?: (count: number) => void): void {
    if (isUnknown()) return
    const { position, filter, top, generation } = poller
    if (poller.isBusy) return
    if (position === undefined) {
      begin(poller)
      return
    }
    poller.isBusy = true
    // A cursor passes through a flow as text.
    const from = JSON.parse(JSON.stringify(position)) as FeedPosition
    ask(
      `changes after ${from.snapshotId}`,
      ({ changes }, call) => changes.read(from, filter, top, call),
      outcome => {
        poller.isBusy = false
        if (generation !== poller.generation || outcome === 'lost') return
        if ('error' in outcome) {
          const isCorrupt = isAppError(outcome.error) && outcome.error.code === 'snapshot_corrupt'
          if (isCorrupt && !wasDamaged()) findings.broken('nothing is damaged without a fault', outcome.error.message)
          return
        }
        if (outcome.value === undefined) {
          if (!wasDamaged()) findings.broken('a cursor lives as long as its run', from.snapshotId)
          poller.position = undefined
          return
        }
        const lines = outcome.value.changes.map(line => nameOf(line.toString()))
        if (lines.length > top)
          findings.broken('a page is not longer than requested', `${lines.length} instead of ${top}`)
        poller.seen.push(...lines)
        poller.position = outcome.value.next
        check(poller, false)
        then?.(lines.length)
      },
    )
  }

  return {
    pollOne: () => poll(random.pick(pollers)),
    /** The changes of this run that they have not seen yet are lost. */
    damaged(snapshotId: string) {
      for (const poller of pollers) {
        if (poller.position === undefined || poller.position.snapshotId > snapshotId) continue
        poller.generation++
        poller.position = undefined
      }
    },
    /** Reads on until there are no changes. */
    drain() {
      for (const poller of pollers) {
        const again = (count: number) => {
          if (count > 0) poll(poller, again)
          else check(poller, true)
        }
        poll(poller, again)
      }
    },
  }
}
