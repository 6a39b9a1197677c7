import type { Ask } from './client.ts'
import type { Customers } from './customers.ts'
import type { Faults } from './faults.ts'
import type { Findings } from './findings.ts'
import type { createPollers } from './pollers.ts'
import type { Queue } from './queue.ts'
import type { Random } from './random.ts'
import type { createReaders } from './readers.ts'
import type { RunRules } from './rules/runs.ts'
import type { Scheduler } from './scheduler.ts'
import type { Storage } from './storage.ts'
import type { Trace } from './trace.ts'

type Options = {
  scheduler: Scheduler
  random: Random
  faults: Faults
  trace: Trace
  findings: Findings
  customers: Customers
  storage: Storage
  queue: Queue
  ask: Ask
  pollers: ReturnType<typeof createPollers>
  readers: ReturnType<typeof createReaders>
  runs: RunRules
  longestRunMs: number
  /** With `SNAPSHOT_CUSTOMERS`, one that has left is a failure. */
  isConfigured: boolean
  /** A blob of the run was deleted. */
  deleted: (snapshotId: string) => void
}

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

/** The timer's time of day, as in `SNAPSHOT_SCHEDULE`. */
const tickMs = 20 * minuteMs
const timerTries = 5

/** What happens in a world: some days with everything that can go wrong, then calm, one more run, and the last checks. */
export function createScript(options: Options) {
  const { scheduler, random, faults, trace, findings, customers, storage, queue, ask, pollers, readers, runs } = options
  let isCalm = false
  let starts = 0

  function startAll(trigger: 'timer' | 'request', then?: (isStarted: boolean) => void, tries = timerTries): void {
    starts++
    ask(
      `start (${trigger})`,
      (snapshots, call) => snapshots.start(trigger, undefined, call),
      outcome => {
        const isAnswered = outcome !== 'lost' && 'value' in outcome
        // The platform repeats a tick whose function failed.
        if (!isAnswered && trigger === 'timer' && tries > 1 && !isCalm) {
          scheduler.after(minuteMs, () => startAll(trigger, then, tries - 1))
        }
        then?.(isAnswered && outcome.value.started)
      },
      1200,
    )
  }

  function startSome(): void {
    const listed = customers.listed()
    if (listed.length === 0) return
    const chosen = listed.filter(() => random.chance(0.3)).slice(0, 5)
    const planned = (chosen.length > 0 ? chosen : [random.pick(listed)]).map(({ id, name }): [string, string] => [
      id,
      name,
    ])
    ask(
      'start over some',
      (snapshots, call) => snapshots.start('request', planned, call),
      () => undefined,
      100,
    )
  }

  function cancel(): void {
    const run = runs.all().at(-1)
    if (run === undefined) return
    ask(
      `cancel ${run.id}`,
      async (snapshots, call) => {
        if (!('cancel' in snapshots) || typeof snapshots.cancel !== 'function') return
        await snapshots.cancel(run.id, call)
      },
      () => undefined,
    )
  }

  const runOf = (name: string): string => /run=([^/]+)\//.exec(name)?.[1] ?? ''

  /** Deletes a blob of a finished run, or all of the oldest run. */
  function retain(): void {
    const finished = runs.all().filter(({ manifest }) => manifest !== undefined)
    const [oldest] = finished.filter(({ isDamaged }) => !isDamaged)
    if (oldest === undefined) return
    const names = [...storage.blobs.keys()]
    if (random.chance(0.4) && finished.length > 1) {
      options.deleted(oldest.id)
      for (const name of names.filter(name => runOf(name) === oldest.id)) storage.remove(name)
      return
    }
    const { id } = random.pick(finished)
    const blobs = names.filter(
      name => runOf(name) === id && name.startsWith('snapshots/') && !name.includes('manifest'),
    )
    if (blobs.length === 0) return
    options.deleted(id)
    storage.remove(random.pick(blobs))
  }

  function planDay(day: number, isRetained: boolean): void {
    const at = (ms: number, action: () => void) => scheduler.after(day * dayMs + ms, action)
    const sometime = (action: () => void) => at(random.between(0, dayMs), action)
    const someTimes = (most: number, action: () => void) => {
      for (let times = random.between(0, most); times > 0; times--) sometime(action)
    }
    for (let ticks = random.chance(0.1) ? 2 : 1; ticks > 0; ticks--)
      at(tickMs + random.between(0, 500), () => startAll('timer'))
    if (random.chance(0.2)) at(tickMs - random.between(0, 3 * minuteMs), startSome)
    someTimes(2, () => {
      for (let times = random.pick([1, 1, 2, 3]); times > 0; times--) startAll('request')
    })
    someTimes(1, startSome)
    if (random.chance(0.1)) sometime(cancel)
    someTimes(12, customers.happen)
    if (isRetained) someTimes(2, retain)
    for (let polls = 6; polls > 0; polls--) sometime(pollers.pollOne)
    for (let reads = 6; reads > 0; reads--) sometime(readers.readOne)
    // Also while the daily run goes on, when most is at stake.
    for (let times = random.between(0, 5); times > 0; times--) {
      at(tickMs + random.between(0, 15 * minuteMs), random.pick([customers.happen, pollers.pollOne, readers.readOne]))
    }
    for (const { name, minutes } of faults.spellsOfDay()) {
      // Half of them meet the daily run.
      const begins = random.chance(0.5)
        ? tickMs + random.between(-minutes * minuteMs, 10 * minuteMs)
        : random.between(0, dayMs)
      at(Math.max(0, begins), () => {
        faults.begin(name, minutes)
        trace.say('world', () => `--- ${name}, for ${minutes.toFixed(1)} minutes`)
      })
    }
  }

  const rest = (ms: number) => scheduler.run(scheduler.now() + ms)

  /** With nothing going wrong any more, a start gets 202, or 409 for a run that ends. */
  async function startAtLast(): Promise<void> {
    for (let tries = 0; tries < 4; tries++) {
      const before = runs.all().length
      startAll('request')
      await rest(options.longestRunMs)
      if (runs.all().length > before) return
    }
    findings.broken('a run can be started', `${runs.all().at(-1)?.id} blocks every other`)
  }

  return {
    async play(): Promise<void> {
      const days = random.between(2, 4)
      const isRetained = random.chance(0.3)
      for (let day = 0; day < days; day++) planDay(day, isRetained)
      await rest(days * dayMs)

      isCalm = true
      trace.say('world', () => '--- calm from here on')
      faults.stop()
      customers.calm()
      await rest(options.longestRunMs)
      await startAtLast()
      const last = runs.all().at(-1)
      // If everybody has left, nobody can be read: the contract calls that failed.
      const isEmpty = last?.manifest?.customers.read === 0 && last.manifest.customers.failed === 0
      if (last?.manifest !== undefined && last.manifest.status !== 'succeeded' && !options.isConfigured && !isEmpty) {
        findings.broken('a run in a calm world succeeds', `${last.id}: ${last.manifest.status}`)
      }
      pollers.drain()
      readers.readAll()
      await rest(30 * minuteMs)
      pollers.drain()
      await rest(30 * minuteMs)
      if (queue.messages.length > 0) {
        findings.broken('the queue is empty at the end', queue.messages.map(({ label }) => label).join())
      }
    },
    starts: () => starts,
  }
}
