import { isAppError } from '../../shared/errors.ts'
import type { Ask } from './client.ts'
import type { Customers } from './customers.ts'
import type { Findings } from './findings.ts'
import type { Random } from './random.ts'
import type { RunContents } from './rules/contents.ts'
import type { RunRules, SeenRun } from './rules/runs.ts'
import { shortId } from './trace.ts'

type Options = {
  ask: Ask
  random: Random
  customers: Customers
  findings: Findings
  runs: RunRules
  /** Every finished run, oldest first. */
  contents: readonly RunContents[]
  wasDamaged: () => boolean
  /** True for a following run that was deleted. */
  isDeleted: (run: SeenRun) => boolean
}

/** Error codes of storage failures. */
const isStorage = ['storage_unavailable', 'snapshot_blob_locked']

/** Callers that read a customer back, get a run, or list runs. */
export function createReaders({ ask, random, customers, findings, runs, contents, wasDamaged, isDeleted }: Options) {
  const startedAt = ({ run }: RunContents) => Date.parse(run.manifest?.startedAt ?? '')

  /** The run that has the customer as of a time. 'gone' if the customer had left. */
  function holder(id: string, atMost: number, withPartial = true): RunContents | 'gone' | undefined {
    const candidates = contents.filter(
      each =>
        each.run.manifest?.status !== 'failed' &&
        startedAt(each) <= atMost &&
        (withPartial || !each.run.isPartial) &&
        !isDeleted(each.run),
    )
    const found = candidates.findLast(({ read, gone }) => read.has(id) || gone.has(id))
    return found?.gone.has(id) ? 'gone' : found
  }

  function readBack(): void {
    const all = customers.all()
    if (all.length === 0) return
    const { id } = random.pick(all)
    const finished = contents
    const asOf = finished.length > 0 && random.chance(0.5) ? startedAt(random.pick(finished)) : undefined
    const atMost = asOf ?? Number.MAX_SAFE_INTEGER
    const before = holder(id, atMost)
    const wholeBefore = holder(id, atMost, false)
    ask(
      `read back ${shortId(id)}`,
      (snapshots, call) => snapshots.readBack(id, asOf, call),
      outcome => {
        const after = holder(id, atMost)
        if (outcome === 'lost' || before === 'gone' || after === 'gone') return
        const say = (what: string) => findings.broken('a reader gets the orders of the run', `${shortId(id)}: ${what}`)
        if ('error' in outcome) {
          const code = isAppError(outcome.error) ? outcome.error.code : ''
          const isRight =
            code === 'snapshot_not_found' ? before === undefined || after === undefined : code !== 'snapshot_corrupt'
          if (!isRight && !wasDamaged()) say(`${code}, although ${before?.run.id} holds it`)
          return
        }
        const { snapshotId, orders } = outcome.value
        const source = contents.find(({ run }) => run.id === snapshotId)
        const texts = orders.map(({ json }) => json.toString()).sort()
        if (source === undefined && wasDamaged()) return
        if (source?.read.get(id)?.join() !== texts.join()) say(`${texts.length} orders from ${snapshotId}`)
        // A failed entry names the run over all customers that last read the customer, so runs over some customers may
        // be skipped.
        const isRight = [before, after, wholeBefore, holder(id, atMost, false)].includes(source)
        // A worker can still have a deleted following run in memory.
        const isRemembered = source !== undefined && isDeleted(source.run)
        if (!isRight && !isRemembered && !wasDamaged()) say(`from ${snapshotId} instead of ${before?.run.id}`)
      },
    )
  }

  function status(): void {
    const all = runs.all()
    if (all.length === 0) return
    const { id } = random.pick(all.slice(-3))
    ask(
      `status of ${id}`,
      (snapshots, call) => snapshots.status.get(id, call),
      outcome => {
        if (outcome === 'lost' || wasDamaged()) return
        const manifest = runs.find(id)?.manifest
        if ('error' in outcome) {
          const code = isAppError(outcome.error) ? outcome.error.code : ''
          const run = runs.find(id)
          if (run !== undefined && isDeleted(run)) return
          if (code === 'snapshot_not_found' || code === 'snapshot_corrupt') {
            findings.broken('a run has a status', `${id}: ${code}`)
          } else if (manifest?.status !== 'failed' && !isStorage.includes(code)) {
            findings.broken('a run has a status', `${id}: ${code}`)
          }
        } else if ('manifest' in outcome.value && manifest === undefined) {
          findings.broken('a run has a status', `${id} is finished before its end`)
        }
      },
    )
  }

  function list(isComplete: boolean): void {
    const finished = runs.all().filter(({ manifest, isFollowing }) => manifest !== undefined && !isFollowing)
    ask(
      'list of runs',
      snapshots => snapshots.status.list(1000, undefined),
      outcome => {
        if (outcome === 'lost' || 'error' in outcome) return
        const ids = outcome.value.runs.map(({ snapshotId }) => snapshotId)
        if (ids.some((id, at) => at > 0 && id >= (ids[at - 1] ?? ''))) {
          findings.broken('runs are listed newest first', ids.join())
        }
        const missing = finished.find(({ id }) => !ids.includes(id))
        if (missing !== undefined && isComplete && !wasDamaged()) findings.broken('every run is listed', missing.id)
      },
    )
  }

  return {
    readOne: () => random.pick([readBack, readBack, status, () => list(true)])(),
    readAll() {
      for (let times = 0; times < 10; times++) readBack()
      list(true)
    },
  }
}
