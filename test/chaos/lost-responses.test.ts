import { readFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { compressed, hang } from '../../local/simulator/failure-cases.ts'
import type { Service } from '../../local/simulator/recorder.ts'
import { documentedCustomerId } from '../../local/simulator/sample-data.ts'
import type { Simulator } from '../../local/simulator/simulator.ts'
import { type RunningApp, startApp } from '../support/running-app.ts'

const deadlineSeconds = 3
/** The deadline and one second, with one more second for a busy machine. */
const patienceMs = (deadlineSeconds + 2) * 1000

type Problem = { error: { code: string; message: string }; retryable: boolean }

async function start(options: Partial<Parameters<typeof startApp>[0]> = {}): Promise<RunningApp> {
  const app = await startApp({
    storage: inject('storage'),
    ...options,
    settings: { REQUEST_DEADLINE_SECONDS: String(deadlineSeconds), ...options.settings },
  })
  onTestFinished(() => app.stop())
  return app
}

/** The result of a call, and how long it took. */
async function call(url: string, init: RequestInit = {}) {
  const startedAt = performance.now()
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(20_000) })
  const text = await response.text()
  return { response, status: response.status, text, ms: performance.now() - startedAt }
}

const problemOf = ({ text }: { text: string }): Problem => JSON.parse(text) as Problem

/** Drops the response to the first request that `matches`, and counts all of them. */
function loseFirst(service: { serve: Service }, matches: RegExp) {
  const { serve } = service
  const seen = { requests: 0 }
  service.serve = exchange => {
    if (!matches.test(exchange.request.path)) return serve(exchange)
    seen.requests++
    return seen.requests === 1 || serve(exchange)
  }
  return seen
}

describe('a lost response', () => {
  test.each<[string, (simulator: Simulator) => { requests: number }]>([
    ['Key Vault', ({ keyVault }) => loseFirst(keyVault, /^\/secrets\//)],
    ['the identity endpoint', ({ entra }) => loseFirst(entra, /^\/msi\/token/)],
    ['the token endpoint', ({ entra }) => loseFirst(entra, /\/oauth2\//)],
    ['Partner Center', ({ partnerCenter }) => loseFirst(partnerCenter, /\/orders$/)],
  ])('one lost response of %s costs a caller at most one retry', async (_, lose) => {
    const app = await start()
    const seen = lose(app.simulator)
    const callers: ReturnType<typeof call>[] = []
    for (let caller = 0; caller < 10; caller++) {
      callers.push(call(`${app.api}/customers/${documentedCustomerId}/orders`))
      await sleep(300)
    }
    const results = await Promise.all(callers)

    expect(results.map(({ status }) => status)).toEqual(results.map(() => 200))
    expect(seen.requests).toBeGreaterThan(1)
  })

  test('one body of Partner Center that stops midway costs a caller at most one retry', async () => {
    const app = await start()
    let requests = 0
    app.simulator.partnerCenter.outage = ({ response }, proceed) => {
      if (++requests > 1) return proceed()
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"totalCount":')
    }
    expect((await call(`${app.api}/customers/${documentedCustomerId}/orders`)).status).toBe(200)
  })
})

test('with an upstream that never responds, callers fail in time, and each new caller starts a new call', async () => {
  const app = await start()
  app.simulator.partnerCenter.outage = hang
  const url = `${app.api}/customers/${documentedCustomerId}/orders`
  const callers: ReturnType<typeof call>[] = []
  for (let caller = 0; caller < 12; caller++) {
    callers.push(call(url))
    await sleep(500)
  }
  app.simulator.partnerCenter.outage = undefined
  const results = await Promise.all(callers)

  const { requests } = app.simulator.partnerCenter
  expect((requests.at(-1)?.at ?? 0) - (requests[0]?.at ?? 0)).toBeGreaterThan(deadlineSeconds * 1000)
  for (const { ms } of results) expect(ms).toBeLessThan(patienceMs)
  expect((await call(url)).status).toBe(200)
})

test('every function responds while storage accepts connections and stays silent', async () => {
  const sockets = new Set<Socket>()
  const server: Server = createServer(socket => sockets.add(socket.on('error', () => undefined)))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as { port: number }
  const account = `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=${Buffer.from('key').toString('base64')}`
  const silent = `${account};BlobEndpoint=http://127.0.0.1:${port}/a;QueueEndpoint=http://127.0.0.1:${port}/a;`
  const app = await start({ settings: { SnapshotStorage: silent } })
  const orders = `customers/${documentedCustomerId}/orders`

  const results = await Promise.all([
    call(`${app.api}/snapshots`),
    call(`${app.api}/snapshots`, { method: 'POST' }),
    call(`${app.api}/snapshots/20261120T002000Z`),
    call(`${app.api}/order-changes`),
    call(`${app.api}/${orders}?asOf=2026-11-20`),
    call(`${app.api}/health/details`),
  ])
  for (const { status, ms, text } of results) {
    expect(ms).toBeLessThan(patienceMs)
    if (status !== 200) expect(problemOf({ text }), text).toMatchObject({ retryable: true })
  }
  expect(results.map(({ status }) => status).slice(0, 5)).toEqual([503, 503, 503, 503, 503])
  app.simulator.partnerCenter.outage = hang
  const stale = await call(`${app.api}/${orders}?allowStale=true`)
  expect([stale.status, stale.ms < patienceMs]).toEqual([503, true])
})

describe('abandoned work', () => {
  test('abandoned work releases its connection: the other half of a failed request', async () => {
    const app = await start({ settings: { REQUEST_DEADLINE_SECONDS: '60' } })
    app.simulator.partnerCenter.outage = (exchange, proceed) =>
      exchange.request.path.endsWith('/provisioningstatus') ? undefined : proceed()
    const missing = (order: number) =>
      call(`${app.api}/customers/${documentedCustomerId}/orders/missing-${order}?expand=provisioningStatus`)
    const results = await Promise.all(Array.from({ length: 64 }, (_, order) => missing(order)))

    expect(new Set(results.map(({ status }) => status))).toEqual(new Set([404]))
    const read = await call(`${app.api}/customers/${documentedCustomerId}/orders`)
    expect([read.status, read.ms < 3000]).toEqual([200, true])
  })

  test('abandoned work releases its connection: the other customers of a list with a refused one', async () => {
    const app = await start({ settings: { REQUEST_DEADLINE_SECONDS: '60' } })
    const ids = Array.from({ length: 100 }, (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`)
    app.simulator.partnerCenter.outage = ({ request, response }, proceed) => {
      if (!request.path.includes('00000000-0000-4000-8000')) return proceed()
      if (request.path.endsWith(ids[0] ?? '')) response.writeHead(403, {}).end('{"code":"900308"}')
    }
    const started = await call(`${app.api}/snapshots`, {
      method: 'POST',
      body: JSON.stringify({ customerTenantIds: ids }),
    })

    expect(started.status).toBe(403)
    const read = await call(`${app.api}/customers/${documentedCustomerId}/orders`)
    expect([read.status, read.ms < 3000]).toEqual([200, true])
  })
})

describe('a response with an error status', () => {
  const damaged = { 'content-encoding': 'gzip', 'content-type': 'application/json' }

  test.each([
    [503, 503, 'partner_center_unavailable', 4],
    [429, 429, 'partner_center_throttled', 1],
    [404, 502, 'partner_center_invalid_response', 1],
    [403, 403, 'partner_center_forbidden', 1],
  ])(
    'a response with an error status of %i keeps its meaning although its body cannot be read',
    async (sent, status, code, tries) => {
      const app = await start()
      let requests = 0
      app.simulator.partnerCenter.outage = ({ response }) => {
        requests++
        response.writeHead(sent, { ...damaged, ...(sent === 429 ? { 'retry-after': '7' } : {}) }).end('this is no gzip')
      }
      const result = await call(`${app.api}/customers/${documentedCustomerId}/orders`)

      expect([result.status, problemOf(result).error.code, requests]).toEqual([status, code, tries])
      if (sent === 429) expect(result.response.headers.get('retry-after')).toBe('7')
    },
  )

  test('a response with an error status keeps its meaning although its body never ends', async () => {
    const app = await start({ settings: { REQUEST_DEADLINE_SECONDS: '6' } })
    app.simulator.partnerCenter.outage = ({ response }) => {
      response.writeHead(429, { 'retry-after': '90' }).write('{"statusCode":')
    }
    const result = await call(`${app.api}/customers/${documentedCustomerId}/orders`)
    expect([result.status, result.response.headers.get('retry-after')]).toEqual([429, '90'])
  })
})

test.each([
  ['null', 'null,'],
  ['objects', '{},'],
  ['lists', '[],'],
  ['gaps', ' \n,'],
])('64 MiB of %s are refused quickly and with little memory', async (_, element) => {
  const app = await start({ settings: { REQUEST_DEADLINE_SECONDS: '30' } })
  app.simulator.partnerCenter.outage = compressed(
    `{"items":[${element.repeat((64 * 1024 * 1024) / element.length)}null]}`,
  )
  const orders = await call(`${app.api}/customers/${documentedCustomerId}/orders`)
  const customers = await call(`${app.api}/customers`)

  expect([orders.status, customers.status]).toEqual([502, 502])
  expect(Math.max(orders.ms, customers.ms)).toBeLessThan(10_000)
  // Only Linux reports the peak memory of a process.
  if (process.platform === 'linux') expect(await peakMegabytes(app)).toBeLessThan(1024)
})

/** The peak memory of the host so far. */
async function peakMegabytes({ host }: RunningApp): Promise<number> {
  const status = await readFile(`/proc/${host.process.pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024
}
