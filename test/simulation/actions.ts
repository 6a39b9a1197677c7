import { isAppError } from '../../shared/errors.ts'
import type { Ask } from './client.ts'
import type { Customers } from './customers.ts'
import type { Random } from './random.ts'
import type { RunRules } from './rules/runs.ts'
import type { Scheduler } from './scheduler.ts'
import type { Storage } from './storage.ts'
import type { Worker } from './workers.ts'

type Options = {
  scheduler: Scheduler
  random: Random
  customers: Customers
  storage: Storage
  workers: readonly Worker[]
  ask: Ask
  runs: RunRules
  toggleConfigured: () => void
  /** A blob of the run was deleted or changed. */
  damaged: (snapshotId: string) => void
}

const minuteMs = 60_000
const timerTries = 5
const timerSeconds = 20 * 60
const followSeconds = 9 * 60
const timerPatienceMs = 15 * minuteMs

const runOf = (name: string): string => /run=([^/]+)\//.exec(name)?.[1] ?? ''

/** The actions of users, timers and retention. */
export function createActions(options: Options) {
  const { scheduler, random, customers, storage, workers, ask, runs } = options

  function ignore(): void {}

  /** A day can be lost if storage is down for longer than the function of the timer runs, or if a person is needed. */
  const hasTried = (error: Error, began: number): boolean =>
    scheduler.now() - began > timerPatienceMs || (isAppError(error) && !error.retryable)

  const actions = {
    start(): void {
      ask('start', (snapshots, call) => snapshots.start('request', undefined, call), ignore)
    },

    startSome(): void {
      const listed = customers.listed()
      if (listed.length === 0) return
      const chosen = listed.filter(() => random.chance(0.3)).slice(0, 5)
      const some = chosen.length > 0 ? chosen : [random.pick(listed)]
      const planned = some.map(({ id, name }): [string, string] => [id, name])
      ask('start over some', (snapshots, call) => snapshots.start('request', planned, call), ignore)
    },

    /** The timer of a day. The platform repeats it if its worker died, and not if the function failed. */
    tick(tries = timerTries): void {
      if (tries === timerTries) runs.ticked()
      const began = scheduler.now()
      ask(
        'timer',
        (snapshots, call) => snapshots.startByTimer(call),
        outcome => {
          if (outcome === 'lost' && tries > 1) scheduler.after(minuteMs, () => actions.tick(tries - 1))
          else if (outcome === 'lost' || ('error' in outcome && hasTried(outcome.error, began))) runs.tickFailed()
        },
        timerSeconds,
      )
    },

    /** A tick of following. */
    follow(): void {
      ask('follow', (snapshots, call) => snapshots.follow(call), ignore, followSeconds)
    },

    cancel(): void {
      const run = runs.all().at(-1)
      if (run === undefined) return
      const { id } = run
      ask(
        `cancel ${id}`,
        (snapshots, call) => snapshots.cancel(id, call),
        outcome => {
          if (outcome !== 'lost' && 'value' in outcome) runs.cancelled(id)
        },
      )
    },

    /** Deletes the oldest run, or damages a blob of a run that has ended or, rarely, is in progress. */
    damage(): void {
      const finished = runs.all().filter(({ manifest }) => manifest !== undefined)
      const names = [...storage.blobs.keys()]
      // Retention deletes by age, so no older run remains.
      const oldest = finished.find(({ id }) => names.some(name => runOf(name) === id))
      if (oldest !== undefined && finished.length > 1 && random.chance(0.4)) {
        options.damaged(oldest.id)
        for (const name of names.filter(name => runOf(name) === oldest.id)) storage.damage(name, 'deleted')
        return
      }
      const how = random.pick(['deleted', 'deleted', 'cut off', 'garbled', 'archived'] as const)
      if (random.chance(0.1)) {
        storage.damage(random.pick(['latest.json', 'pace.json']), how === 'archived' ? 'garbled' : how)
        return
      }
      const candidates = random.chance(0.05) ? runs.all() : finished
      // The newest run is the baseline of the next one.
      const chosen = random.chance(0.5) ? candidates.slice(-1) : candidates
      if (chosen.length === 0) return
      const { id } = random.pick(chosen)
      const blobs = names.filter(name => runOf(name) === id && name.startsWith('snapshots/') && !/manifest/.test(name))
      if (blobs.length === 0) return
      options.damaged(id)
      const plan = blobs.filter(name => name.endsWith('_plan.json'))
      storage.damage(random.pick(plan.length > 0 && random.chance(0.3) ? plan : blobs), how)
    },

    /** Deploys another version: `SNAPSHOT_CUSTOMERS` is set or cleared, and every worker restarts. */
    deploy(): void {
      options.toggleConfigured()
      for (const { process } of workers) process.kill('is replaced by a new version')
    },

    lease(minutes: number): void {
      storage.lease(random.pick(['current.json', 'latest.json', 'pace.json']), minutes)
    },
  }
  return actions
}

export type Actions = ReturnType<typeof createActions>
