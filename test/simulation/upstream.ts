import type { TransportRequest, TransportResponse } from '../../shared/partner-center/transport.ts'
import { type Transport, TransportError } from '../../shared/partner-center/transport.ts'
import type { Customers } from './customers.ts'
import type { Exchanges } from './exchange.ts'
import type { Faults } from './faults.ts'
import type { Process } from './process.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import { shortId, type Trace } from './trace.ts'

/** A response with a customer's orders. */
export type Answer = {
  at: number
  status: number | 'reset'
  code: string
  /** The orders as JSON, if the response had them. */
  orders: string[] | undefined
  tookMs: number
  /** The wait that it requested. */
  waitMs: number
}

export type Upstream = {
  transportOf: (process: Process) => Transport
  /** True times of all requests, in order. */
  requests: number[]
  answersTo: (customerTenantId: string) => readonly Answer[]
  /** Times at which a list ended with code 2000, at its end or early, and at which all requests were refused. */
  earlyEnds: number[]
  refusals: number[]
}

type Options = {
  exchange: Exchanges
  scheduler: Scheduler
  random: Random
  faults: Faults
  trace: Trace
  customers: Customers
  pageSize: number
}

type Reply = { status: number; body: unknown; headers?: Record<string, string>; backMs?: number }

const failure = (status: number, code?: string, headers?: Record<string, string>): Reply => ({
  status,
  body: code === undefined ? {} : { code, description: 'simulated' },
  ...(headers === undefined ? {} : { headers }),
})

export function createUpstream({ exchange, scheduler, random, faults, trace, customers, pageSize }: Options): Upstream {
  const requests: number[] = []
  const answers = new Map<string, Answer[]>()
  const earlyEnds: number[] = []
  const refusals: number[] = []

  /** A fault that applies to any request. */
  function trouble(): Reply | undefined {
    if (faults.isOn('credential is refused')) {
      refusals.push(scheduler.now())
      return failure(401, '900421')
    }
    if (faults.isOn('upstream is down') || faults.strikes('upstream fails')) return failure(random.pick([500, 503]))
    if (faults.strikes('upstream throttles')) {
      const seconds = String(Math.round(random.spread(1, 200)))
      return failure(429, undefined, random.chance(0.8) ? { 'retry-after': seconds } : undefined)
    }
    return undefined
  }

  function listPage({ url, headers }: TransportRequest): Reply {
    const size = Math.min(pageSize, Number(url.searchParams.get('size')) || pageSize)
    const after = headers['ms-continuationtoken'] ?? ''
    const rest = customers.listed().filter(({ id }) => id > after)
    const isCut = after !== '' && faults.strikes('customer list is cut short')
    if (after !== '' && (isCut || rest.length === 0)) {
      earlyEnds.push(scheduler.now())
      return failure(400, '2000')
    }
    const page = rest.slice(0, size)
    const last = page.at(-1)
    const headersOfNext = [{ key: 'MS-ContinuationToken', value: last?.id ?? '' }]
    const next = { uri: '/customers?size=500&seekOperation=Next', headers: headersOfNext }
    const items = page.map(({ id, name }) => ({ id, companyProfile: { companyName: name } }))
    return { status: 200, body: { items, links: rest.length > size ? { next } : {} } }
  }

  function ordersOf(id: string): Reply {
    const refusal = customers.refusalOf(id)
    if (refusal !== undefined) return failure(refusal.status, refusal.code, refusal.headers)
    const items = customers.ordersOf(id)
    return { status: 200, body: { totalCount: items.length, items } }
  }

  function profile(id: string): Reply {
    const found = customers.find(id)
    if (found === undefined || found.left !== undefined) return failure(404, '60003')
    return { status: 200, body: { id, companyProfile: { companyName: found.name } } }
  }

  function reply(request: TransportRequest): Reply {
    const [, , , id, resource] = request.url.pathname.split('/')
    if (request.url.pathname === '/v1/auditrecords')
      return trouble() ?? { status: 200, body: { items: customers.logged() } }
    if (id === undefined) return trouble() ?? listPage(request)
    if (faults.strikes('customer changes between requests')) customers.change(random.pick(customers.all()))
    return trouble() ?? (resource === undefined ? profile(id) : ordersOf(id))
  }

  function record(id: string, { status, body, headers }: Reply, isReset: boolean, tookMs: number): void {
    const { code = '', items } = body as { code?: string; items?: unknown[] }
    const orders = isReset ? undefined : items?.map(item => JSON.stringify(item)).sort()
    const waitMs = Number(headers?.['retry-after'] ?? 0) * 1000
    const answer: Answer = { at: scheduler.now(), status: isReset ? 'reset' : status, code, orders, tookMs, waitMs }
    const known = answers.get(id)
    if (known === undefined) answers.set(id, [answer])
    else known.push(answer)
  }

  const toResponse = ({ status, body, headers = {} }: Reply): TransportResponse => ({
    status,
    headers,
    body: Buffer.from(JSON.stringify(body)),
  })

  return {
    requests,
    earlyEnds,
    refusals,
    answersTo: id => answers.get(id) ?? [],
    transportOf: process => request => {
      let tookMs = random.between(5, 400)
      return exchange(process, {
        signal: request.deadline.signal,
        backMs: () => tookMs,
        effect() {
          requests.push(scheduler.now())
          const answer = reply(request)
          const isReset = faults.strikes('upstream resets')
          if (faults.strikes('upstream hangs')) tookMs = random.spread(1000, 150_000)
          const [, , , id = '', resource] = request.url.pathname.split('/')
          if (resource === 'orders') record(id, answer, isReset, tookMs)
          const what = id === '' ? 'customers' : `${resource ?? 'profile'} of ${shortId(id)}`
          trace.say(process.name, () => {
            const { code, items } = answer.body as { code?: string; items?: unknown[] }
            const outcome = isReset ? 'reset' : `${answer.status}${code === undefined ? '' : ` ${code}`}`
            return `GET ${what}: ${outcome}${items === undefined ? '' : `, ${items.length}`}`
          })
          if (isReset) throw new TransportError('network', 'reset (simulated)')
          return toResponse(answer)
        },
      })
    },
  }
}
