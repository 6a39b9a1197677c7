import { loadReport } from '../../shared/report/report.ts'
import { createSnapshots, type Snapshots } from '../../shared/snapshots/snapshots.ts'
import { loadParquet } from '../../shared/snapshots/storage/lines-encoder.ts'
import { createActions } from './actions.ts'
import { createAsk } from './client.ts'
import { createCustomers } from './customers.ts'
import { createExchanges } from './exchange.ts'
import { createFaults } from './faults.ts'
import { chooseFeatures, createConfigured } from './features.ts'
import { createFindings, type Finding } from './findings.ts'
import { createHost } from './host.ts'
import type { Logged } from './operation.ts'
import { createPollers } from './pollers.ts'
import type { Process } from './process.ts'
import { createQueue } from './queue.ts'
import { createRandom } from './random.ts'
import { createReaders } from './readers.ts'
import { createChangeRules } from './rules/changes.ts'
import { createContentRules, type RunContents } from './rules/contents.ts'
import { checkPace } from './rules/pace.ts'
import { createRunRules, type SeenRun } from './rules/runs.ts'
import { createScheduler } from './scheduler.ts'
import { createScript } from './script.ts'
import { createStorage } from './storage.ts'
import { createTokens } from './tokens.ts'
import { createTrace } from './trace.ts'
import { createUpstream } from './upstream.ts'
import { createWorkers } from './workers.ts'

export type WorldResult = { findings: Finding[]; lines: string[]; runs: number; requests: number; deaths: number }

const minuteMs = 60_000
const start = Date.UTC(2026, 10, 20)

/** The margin for the duration of a run, beyond its own time and delays. */
const boundMs = 20 * minuteMs

/** One world from start to end. Everything in it depends on the seed. */
export async function runWorld(seed: number, { isTraced = false } = {}): Promise<WorldResult> {
  // Loading a module during the world would take real time.
  await Promise.all([loadParquet(), loadReport()])
  const random = createRandom(seed)
  const scheduler = createScheduler(start, random)
  const { now } = scheduler
  const trace = createTrace(isTraced, start, now)
  const findings = createFindings(line => trace.say('rule', line))
  // One world in ten has no faults, so that any failure there is a clear bug.
  const faults = createFaults(random, now, random.chance(0.9))
  const features = chooseFeatures(random)
  const { requestsPerMinute, concurrency, leaseMs, pageSize, isTroubled, isSkewed } = features

  const [count, maxCount] = [features.customers, features.customers + 4]
  const customers = createCustomers({ random, now, trace, count, maxCount, isTroubled })
  const configured = createConfigured(random, now)
  const chosen = customers.all().slice(0, 4)
  const [settings, configuredSettings] = await Promise.all([[], chosen.map(({ id }) => id)].map(features.settingsFor))
  if (settings === undefined || configuredSettings === undefined) throw new Error('There are no settings')

  const slowdowns: number[] = []
  const exchange = createExchanges(scheduler, random, findings)
  const storage = createStorage({ exchange, scheduler, random, faults, trace })
  const queue = createQueue({ exchange, scheduler, faults, trace, findings })
  const upstream = createUpstream({ exchange, scheduler, random, faults, trace, customers, pageSize })
  const tokensOf = createTokens({ exchange, random, faults, trace, slow: () => slowdowns.push(now()) })

  const contents: RunContents[] = []
  let isUnknown = false
  const contentRules = createContentRules({ storage, upstream, customers, faults, findings, slowdowns })
  const changeRules = createChangeRules({ findings, upstream, customers, wasConfigured: configured.wasOn })
  const { tellers } = changeRules
  const longestRunMs = features.overdueMinutes * minuteMs + boundMs + (isSkewed ? 10 * minuteMs : 0)
  const runs = createRunRules({
    storage,
    scheduler,
    findings,
    longestMs(startedAt) {
      if (queue.vanished() > 0) return undefined
      return longestRunMs + faults.delaysSince(startedAt) + host.starvedMs()
    },
    ended(run) {
      // A blob was damaged during the run, so its content and changes are no longer known.
      isUnknown ||= run.isDamaged
      if (isUnknown) return
      const content = contentRules.read(run)
      contents.push(content)
      changeRules.read(content)
    },
  })
  const logged: Logged = (process, event, fields) => {
    trace.say(process.name, () => `log ${event} ${JSON.stringify(fields ?? {}).slice(0, 200)}`)
    runs.logged(event, fields)
  }

  function boot(process: Process): Snapshots {
    const { clock } = process
    const [transport, tokens] = [upstream.transportOf(process), tokensOf(process)]
    return createSnapshots({
      store: storage.storeOf(process),
      queue: queue.queueOf(process),
      request: { transport, tokens, baseUrl: settings?.baseUrl ?? '', clock },
      settings: (configured.isOn() ? configuredSettings : settings) as NonNullable<typeof settings>,
      clock,
    })
  }
  const thaws: { at: number; requests: number }[] = []
  const workers = createWorkers({ features, scheduler, random, faults, trace, boot })
  // Two workers can list the customers at once.
  const listingMs = (2 * Math.ceil(count / pageSize) * 60_000) / requestsPerMinute
  const host = createHost({ scheduler, random, faults, trace, queue, workers: workers.all, logged, leaseMs, listingMs })
  workers.onReady(host.poke)
  workers.onThaw(() => {
    slowdowns.push(now())
    // The requests of its parts, and one each of a plan and a probe.
    thaws.push({ at: now(), requests: concurrency + 2 })
  })

  const ask = createAsk({ workers: workers.all, random, trace, findings, logged })
  let damages = 0
  const wasDamaged = () => damages > 0
  const { latest } = runs
  const pollers = createPollers({
    ask,
    random,
    customers,
    findings,
    tellers,
    latest,
    wasDamaged,
    isUnknown: () => isUnknown,
  })
  // Its plan is deleted first.
  const isDeleted = ({ isFollowing, manifest }: SeenRun) =>
    isFollowing && manifest !== undefined && !storage.blobs.has(`${manifest.path}/_plan.json`)
  const readers = createReaders({ ask, random, customers, findings, runs, contents, wasDamaged, isDeleted })
  const actions = createActions({
    scheduler,
    random,
    customers,
    storage,
    workers: workers.all,
    ask,
    runs,
    toggleConfigured: configured.toggle,
    damaged(snapshotId) {
      damages++
      const run = runs.find(snapshotId)
      if (run !== undefined) run.isDamaged = true
      pollers.damaged(snapshotId)
    },
  })
  const script = createScript({
    scheduler,
    random,
    faults,
    trace,
    findings,
    customers,
    storage,
    queue,
    actions,
    pollers,
    readers,
    runs,
    longestRunMs,
    isTooSlow: features.isTooSlow,
    isConfigured: configured.isOn,
  })

  trace.say(
    'world',
    () => `seed ${seed}, ${features.workers} workers, ${count} customers, ${requestsPerMinute} a minute`,
  )
  trace.say('world', () => `faults: ${faults.described.join(', ') || 'none'}`)
  await script.play()
  await contentRules.finish()
  // Workers can only agree on the rate if their clocks agree.
  if (!isSkewed)
    checkPace({ findings, requestsPerMinute, requests: upstream.requests, thaws, losses: storage.paceLosses })
  return {
    findings: findings.list,
    lines: trace.lines,
    runs: runs.all().length,
    requests: upstream.requests.length,
    deaths: workers.deaths(),
  }
}
