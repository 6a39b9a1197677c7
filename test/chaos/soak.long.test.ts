import { setTimeout as sleep } from 'node:timers/promises'
import { expect, inject, test } from 'vitest'
import type { Service } from '../../local/simulator/recorder.ts'
import { whatIsHeld } from '../support/held.ts'
import { startLossyProxy } from '../support/lossy-proxy.ts'
import { startApp } from '../support/running-app.ts'

const minutes = Number(process.env.SOAK_MINUTES ?? 5)
const callers = 16
const deadlineSeconds = 6
/** One response of each dependency in this number is lost. */
const oneIn = 50

/** A simple generator with a seed, so that two soaks send the same requests in the same order. */
function randomNumbers(seed: number) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const codeOf = (text: string): string => (JSON.parse(text) as { error: { code: string } }).error.code

test(`${minutes} minutes of mixed traffic succeed with one response in ${oneIn} of every dependency lost`, async () => {
  const random = randomNumbers(20_261_121)
  const loses = () => random() < 1 / oneIn
  const lost = new Map<string, number>()
  const lossy = (name: string, service: { serve: Service }, loses: () => boolean) => {
    const { serve } = service
    lost.set(name, 0)
    service.serve = exchange => {
      if (!loses()) return serve(exchange)
      // The service takes the request and never responds.
      const { path } = exchange.request
      const isFor = { partnerCenter: /^\/v1\//, keyVault: /^\/secrets\//, entra: /^\/msi\/|\/oauth2\// }[name]
      if (!isFor?.test(path)) return serve(exchange)
      lost.set(name, (lost.get(name) ?? 0) + 1)
      return true
    }
  }
  const storage = inject('storage')
  const port = (service: string) => Number(new RegExp(`${service}Endpoint=http://[^:]+:(\\d+)`).exec(storage)?.[1])
  const blobs = await startLossyProxy(port('Blob'), loses)
  const app = await startApp({
    // No message is lost, because the local host, which is no part of the app, uses the same queue.
    storage,
    settings: {
      SnapshotStorage: storage.replace(`:${port('Blob')}/`, `:${blobs.port}/`),
      REQUEST_DEADLINE_SECONDS: String(deadlineSeconds),
      SNAPSHOT_CONTAINER: 'soak',
      PARTNER_CENTER_REQUESTS_PER_MINUTE: '6000',
      NODE_OPTIONS: '--inspect=0',
    },
    prepare: ({ partnerCenter, keyVault, entra }) => {
      lossy('partnerCenter', partnerCenter, loses)
      lossy('entra', entra, loses)
      // A secret is kept for five minutes, so one in fifty would lose almost no response of the vault.
      lossy('keyVault', keyVault, () => random() < 1 / 3)
    },
  })
  // A token is replaced five minutes before it expires, so with this life the authority is called every second.
  app.simulator.entra.tokenSeconds = 301
  const { customers } = app.simulator.partnerCenter
  const customer = () => customers[Math.floor(random() * customers.length)]
  const paths = [
    () => `customers/${customer()?.id}/orders`,
    () => `customers/${customer()?.id}/order-lines?top=10`,
    () => `customers/${customer()?.id}/orders/${customer()?.orders[0]?.id}?expand=provisioningStatus`,
    () => `customers/${customer()?.id}/orders?allowStale=true`,
    () => `customers/${customer()?.id}/orders?asOf=2099-01-01`,
    () => 'customers?search=a&top=5',
    () => 'snapshots?top=3',
    () => 'order-changes',
    () => 'health/details',
  ]
  const outcomes = new Map<string, number>()
  const late: string[] = []
  const failures: string[] = []
  let slowest = 0

  async function ask(path: string, method = 'GET'): Promise<void> {
    const startedAt = performance.now()
    const response = await fetch(`${app.api}/${path}`, { method, signal: AbortSignal.timeout(60_000) })
    const text = await response.text()
    const ms = performance.now() - startedAt
    slowest = Math.max(slowest, ms)
    const outcome =
      response.ok || response.status === 304 ? String(response.status) : `${response.status} ${codeOf(text)}`
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    if (ms > (deadlineSeconds + 1) * 1000) late.push(`${path} ${Math.round(ms)} ms`)
    if (![200, 202, 404, 409, 503].includes(response.status)) failures.push(`${path} ${response.status} ${text}`)
  }
  const load = async (until: number) => {
    while (Date.now() < until) {
      await ask((paths[Math.floor(random() * paths.length)] ?? paths[0])?.() ?? '')
      await sleep(20)
    }
  }
  const traffic = async (forMs: number) => {
    const until = Date.now() + forMs
    const snapshots = async () => {
      while (Date.now() < until) {
        await ask('snapshots', 'POST')
        await sleep(10_000)
      }
    }
    await Promise.all([snapshots(), ...Array.from({ length: callers }, () => load(until))])
  }

  try {
    await sleep(3000)
    const idle = await whatIsHeld(app.host)
    await traffic(30_000)
    await sleep(5000)
    const before = await whatIsHeld(app.host)
    await traffic(minutes * 60_000)
    // By then, every lost call has reached its time limit, and idle connections are closed.
    await sleep(Number(process.env.SOAK_REST ?? 75_000))
    const after = await whatIsHeld(app.host)
    const growth = after.heapBytes / before.heapBytes - 1
    console.log({
      outcomes: Object.fromEntries(outcomes),
      slowestMs: Math.round(slowest),
      lost: { ...Object.fromEntries(lost), blobs: blobs.lost() },
      heapMegabytes: [before, after].map(({ heapBytes }) => Math.round(heapBytes / 1e5) / 10),
      growth: Math.round(growth * 1000) / 1000,
      sockets: { idle: idle.sockets, before: before.sockets, after: after.sockets },
    })
    expect(failures.slice(0, 10)).toEqual([])
    expect(late.slice(0, 10)).toEqual([])
    expect(growth).toBeLessThan(0.1)
    expect(blobs.openSockets()).toBe(0)
    expect(after.sockets).toBeLessThanOrEqual(idle.sockets)
  } finally {
    await app.stop()
    blobs.stop()
  }
})
