import type { Actions } from './actions.ts'
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
  actions: Actions
  pollers: ReturnType<typeof createPollers>
  readers: ReturnType<typeof createReaders>
  runs: RunRules
  /** The longest duration of a run. */
  longestRunMs: number
  /** True if runs may not be complete before they are overdue. */
  isTooSlow: boolean
  /** With `SNAPSHOT_CUSTOMERS`, a customer that left is a failure. */
  isConfigured: () => boolean
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** The timer's time of day, as in `SNAPSHOT_SCHEDULE`. */
const tickMs = 20 * minuteMs

/** The course of a world: some days with all kinds of faults, then none, one more run, and the last checks. */
export function createScript(options: Options) {
  const { scheduler, random, faults, trace, findings, customers, storage, queue, actions, pollers, readers, runs } =
    options

  /** Schedules each of these actions between two times, at most so often. */
  function scatter(from: number, to: number, what: readonly (readonly [number, () => void])[]): void {
    for (const [most, action] of what) {
      for (let times = random.between(0, most); times > 0; times--) {
        scheduler.after(random.between(from, to), action)
      }
    }
  }

  function planDay(begin: number, isDamaged: boolean, isDeployed: boolean): void {
    const tick = begin + tickMs
    for (let times = random.chance(0.1) ? 2 : 1; times > 0; times--) {
      scheduler.after(tick + random.between(0, 500), () => actions.tick())
    }
    const several = () => {
      for (let times = random.pick([1, 1, 2, 3]); times > 0; times--) actions.start()
    }
    scatter(begin, begin + dayMs, [
      [2, several],
      [1, actions.startSome],
      [12, customers.happen],
      [10, pollers.pollOne],
      [10, readers.readOne],
      [30, actions.follow],
      [isDamaged ? 3 : 0, actions.damage],
      [isDeployed ? 1 : 0, actions.deploy],
    ])
    // Most actions fall in the time of the daily run, where they have the most effect.
    scatter(tick - 3 * minuteMs, tick, [[random.chance(0.2) ? 1 : 0, actions.startSome]])
    scatter(tick, tick + 15 * minuteMs, [
      [3, customers.happen],
      [2, pollers.pollOne],
      [2, readers.readOne],
      [random.chance(0.15) ? 1 : 0, actions.cancel],
      [3, actions.follow],
    ])
    // In some hours, runs follow each other closely, so that late workers meet the next run.
    const busy = begin + random.between(2, 22) * hourMs
    if (random.chance(0.4)) {
      scatter(busy, busy + hourMs, [
        [6, several],
        [3, actions.startSome],
        [1, actions.cancel],
        [6, customers.happen],
        [8, actions.follow],
        [3, pollers.pollOne],
        [3, readers.readOne],
      ])
    }
    for (const { name, minutes } of faults.spellsOfDay()) {
      // Half of them fall in the time of the daily run.
      const soon = tickMs + random.between(-minutes * minuteMs, 10 * minuteMs)
      scheduler.after(begin + (random.chance(0.5) ? Math.max(0, soon) : random.between(0, dayMs)), () => {
        if (name === 'a blob is leased') return actions.lease(minutes)
        faults.begin(name, minutes)
        trace.say('world', () => `--- ${name}, for ${minutes.toFixed(1)} minutes`)
      })
    }
  }

  const rest = (ms: number) => scheduler.run(scheduler.now() + ms)

  /** Without further faults, a start gets 202, or 409 for a run that ends. */
  async function startAtLast(): Promise<void> {
    for (let tries = 0; tries < 4; tries++) {
      const before = runs.all().length
      actions.start()
      await rest(options.longestRunMs)
      if (runs.all().length > before) return
    }
    findings.broken('a run can be started', `${runs.all().at(-1)?.id} blocks every other`)
  }

  return {
    async play(): Promise<void> {
      const days = random.between(1, 3)
      const isDamaged = random.chance(0.4)
      const isDeployed = random.chance(0.15)
      for (let day = 0; day < days; day++) planDay(day * dayMs, isDamaged, isDeployed)
      await rest(days * dayMs)

      trace.say('world', () => '--- calm from here on')
      faults.stop()
      storage.endLease()
      customers.calm()
      await rest(options.longestRunMs)
      await startAtLast()
      const last = runs.all().at(-1)
      // If all customers have left, none can be read, and such a run counts as failed.
      const isEmpty = last?.manifest?.customers.read === 0 && last.manifest.customers.failed === 0
      const isExcused = isEmpty || options.isTooSlow || options.isConfigured()
      if (last?.manifest !== undefined && last.manifest.status !== 'succeeded' && !isExcused) {
        findings.broken('a run without faults succeeds', `${last.id}: ${last.manifest.status}`)
      }
      pollers.drain()
      readers.readAll()
      await rest(30 * minuteMs)
      pollers.drain()
      await rest(30 * minuteMs)
      if (queue.messages.length > 0) {
        findings.broken('the queue is empty at the end', queue.messages.map(({ label }) => label).join())
      }
      runs.atTheEnd()
    },
  }
}
