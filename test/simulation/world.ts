import { readSettings } from '../../shared/settings.ts'
import { createSnapshots } from '../../shared/snapshots/snapshots.ts'
import { createAsk } from './client.ts'
import { createCustomers } from './customers.ts'
import { createExchanges } from './exchange.ts'
import { createFaults } from './faults.ts'
import { createFindings, type Finding } from './findings.ts'
import { createHost, type Worker } from './host.ts'
import { createPollers } from './pollers.ts'
import { createProcess, type Process } from './process.ts'
import { createQueue } from './queue.ts'
import { createRandom } from './random.ts'
import { createReaders } from './readers.ts'
import { createChangeRules } from './rules/changes.ts'
import { createContentRules, type RunContents } from './rules/contents.ts'
import { checkPace } from './rules/pace.ts'
import { createRunRules } from './rules/runs.ts'
import { createScheduler } from './scheduler.ts'
import { createScript } from './script.ts'
import { createStorage } from './storage.ts'
import { createTokens } from './tokens.ts'
import { createTrace } from './trace.ts'
import { createUpstream } from './upstream.ts'

export type WorldResult = {
  findings: Finding[]
  lines: string[]
  runs: number
  requests: number
  kills: number
}

const minuteMs = 60_000
const start = Date.UTC(2026, 10, 20)

/** How long a run may take beyond its time: freezes, lost leases, outages and clocks ten minutes apart. */
const boundMs = 75 * minuteMs

/** One world from its beginning to its end; everything in it follows from the seed. */
export async function runWorld(seed: number, { isTraced = false } = {}): Promise<WorldResult> {
  const random = createRandom(seed)
  const scheduler = createScheduler(start, random)
  const trace = createTrace(isTraced, start, scheduler.now)
  const findings = createFindings(line => trace.say('rule', line))
  // One world in ten has no faults at all, so that what fails there is plainly wrong.
  const faults = createFaults(random, scheduler.now, random.chance(0.9))
  const size = random.chance(0.1) ? random.between(20, 40) : random.between(3, 12)
  const requestsPerMinute = random.pick([4, 12, 30, 120])
  const isSkewed = random.chance(0.4)
  const leaseMs = random.pick([30_000, 10 * minuteMs])
  const overdueMinutes = random.pick([undefined, 20, 45])

  const customers = createCustomers({
    random,
    now: scheduler.now,
    trace,
    count: size,
    maxCount: size + 4,
    isTroubled: random.chance(0.6),
  })
  const isConfigured = random.chance(0.1)
  const configured = customers
    .all()
    .slice(0, 4)
    .map(({ id }) => id)
  const settings = await readSettings({
    PARTNER_CENTER_TENANT_ID: '11111111-1111-4111-8111-111111111111',
    PARTNER_CENTER_CLIENT_ID: '22222222-2222-4222-8222-222222222222',
    KEY_VAULT_URI: 'https://vault.example',
    PARTNER_CENTER_BASE_URL: 'http://127.0.0.1:1',
    AzureWebJobsStorage: 'UseDevelopmentStorage=true',
    PARTNER_CENTER_REQUESTS_PER_MINUTE: String(requestsPerMinute),
    PARTNER_CENTER_CONCURRENCY: String(random.pick([1, 2, 5])),
    SNAPSHOT_CUSTOMERS_PER_PART: String(random.between(1, 5)),
    ...(overdueMinutes === undefined ? {} : { SNAPSHOT_OVERDUE_MINUTES: String(overdueMinutes) }),
    ...(isConfigured ? { SNAPSHOT_CUSTOMERS: configured.join() } : {}),
  })

  const slowdowns: number[] = []
  const exchange = createExchanges(scheduler, random)
  const storage = createStorage({ exchange, scheduler, random, faults, trace })
  const queue = createQueue({ exchange, scheduler, faults, trace })
  const pageSize = random.between(2, 10)
  const upstream = createUpstream({ exchange, scheduler, random, faults, trace, customers, pageSize })
  const tokensOf = createTokens({ exchange, random, faults, trace, slow: () => slowdowns.push(scheduler.now()) })

  const contents: RunContents[] = []
  const contentRules = createContentRules({ storage, upstream, customers, faults, findings, slowdowns })
  const changeRules = createChangeRules({ findings, scheduler, upstream, customers, isConfigured })
  const longestRunMs = (overdueMinutes ?? 60) * minuteMs + boundMs
  const runRules = createRunRules({
    storage,
    scheduler,
    findings,
    longestMs: () => (queue.vanished() > 0 ? undefined : longestRunMs),
    ended(run) {
      const content = contentRules.read(run)
      contents.push(content)
      changeRules.read(content)
    },
  })

  const logged = (process: Process, event: string, fields: Record<string, unknown> | undefined) => {
    trace.say(process.name, () => `log ${event} ${JSON.stringify(fields ?? {}).slice(0, 200)}`)
    runRules.logged(process, event, fields)
  }

  const thaws: { at: number; requests: number }[] = []
  const workers: Worker[] = []
  let kills = 0
  function boot(number: number, life: number, skewMs: number): Worker {
    const process = createProcess({ name: `w${number}.${life}`, skewMs, scheduler, random, faults, trace })
    const { clock } = process
    const snapshots = createSnapshots({
      store: storage.storeOf(process),
      queue: queue.queueOf(process),
      request: {
        transport: upstream.transportOf(process),
        tokens: tokensOf(process),
        baseUrl: settings.baseUrl,
        clock,
      },
      settings,
      clock,
    })
    const worker: Worker = { process, snapshots, busy: 0 }
    process.onThaw(() => {
      slowdowns.push(scheduler.now())
      thaws.push({ at: scheduler.now(), requests: settings.concurrency })
      host.poke()
    })
    process.onEnd(() => {
      kills++
      scheduler.after(random.spread(1000, 3 * minuteMs), () => {
        workers[number] = boot(number, life + 1, skewMs)
        trace.say(`w${number}.${life + 1}`, () => 'starts')
        host.poke()
      })
    })
    return worker
  }
  const host = createHost({ scheduler, random, faults, trace, queue, workers, logged, leaseMs })
  for (let number = 0, count = random.between(2, 4); number < count; number++) {
    workers.push(boot(number, 1, isSkewed ? random.between(-5 * minuteMs, 5 * minuteMs) : 0))
  }

  const ask = createAsk({ workers, random, trace, findings, logged })
  let deleted = 0
  const wasDeleted = () => deleted > 0
  const pollers = createPollers({ ask, random, customers, findings, wholeRuns: changeRules.wholeRuns, wasDeleted })
  const readers = createReaders({
    ask,
    random,
    customers,
    findings,
    runs: runRules,
    contents: () => contents,
    wasDeleted,
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
    ask,
    pollers,
    readers,
    runs: runRules,
    longestRunMs,
    isConfigured,
    deleted(snapshotId) {
      deleted++
      const run = runRules.find(snapshotId)
      if (run !== undefined) run.isDamaged = true
      pollers.deleted(snapshotId)
    },
  })

  trace.say(
    'world',
    () => `seed ${seed}, ${workers.length} workers, ${size} customers, ${requestsPerMinute} requests a minute`,
  )
  trace.say('world', () => `faults: ${faults.described.join(', ') || 'none'}`)
  await script.play()
  runRules.atTheEnd()
  // Workers agree on time only as far as their clocks do.
  if (!isSkewed || process.env.PACE) checkPace({ findings, requestsPerMinute, requests: upstream.requests, thaws })
  return {
    findings: findings.list,
    lines: trace.lines,
    runs: runRules.all().length,
    requests: upstream.requests.length,
    kills,
  }
}
