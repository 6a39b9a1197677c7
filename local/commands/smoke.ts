import { setTimeout as sleep } from 'node:timers/promises'
import { isLoopback } from '../../shared/formats/loopback.ts'
import { environment } from '../../shared/settings.ts'
import { noResponse, readAppUrl } from '../processes/app-url.ts'
import { CommandError } from '../processes/command-error.ts'

/**
 * `npm run smoke -- URL [KEY]`: checks a running app from the outside, for example after a deployment, and prints a
 * line for each check. `APP_TOKEN` is sent as a bearer token, for an app with Entra ID sign-in. The exit code is 0 if
 * all checks pass, 2 if only the credential is missing, as before it is stored, and 1 for any other failure.
 */
const [url = environment().APP_URL ?? '', key = environment().APP_KEY] = process.argv.slice(2)
const token = environment().APP_TOKEN

if (url === '') throw new CommandError('Say where the app is: npm run smoke -- https://your-app.azurewebsites.net KEY')
const base = readAppUrl(url)
const isLocal = isLoopback(base.hostname)

/** A new app returns 404, or does not respond, until the platform knows its functions. */
const maxWaitMs = isLocal ? 0 : 120_000
const pauseMs = 3_000
/** The app itself ends a request after 100 seconds by default. */
const mostMs = 110_000

type Problem = {
  status?: unknown
  error?: { code?: unknown; message?: unknown; target?: unknown }
  correlationId?: unknown
}
type HttpResult = { status: number; headers: Headers; json: unknown }

async function get(path: string, withKey = true): Promise<HttpResult> {
  const headers = {
    ...(withKey && key !== undefined ? { 'x-functions-key': key } : {}),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  }
  const response = await fetch(new URL(path, base), { headers, signal: AbortSignal.timeout(mostMs) }).catch(error => {
    throw noResponse(base, error)
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, json: text === '' ? undefined : JSON.parse(text) }
}

/** The app responds, but the vault does not have its credential yet. */
class CredentialMissing extends Error {}

function expect(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise)
}

/** Every failure of the app has this shape. */
function expectProblem({ status, headers, json }: HttpResult, wanted: number, code: string): void {
  const { error, correlationId, status: told } = (json ?? {}) as Problem
  expect(
    status === wanted,
    `returned ${status} instead of ${wanted}${error === undefined ? '' : `: ${String(error.message)}`}`,
  )
  expect(error?.code === code && told === wanted, `the error is ${String(error?.code)}, not ${code}`)
  expect(typeof error?.message === 'string' && error.message !== '', 'the error says nothing')
  expect(correlationId === headers.get('x-correlation-id'), 'the error has another correlation id than its header')
}

async function checkHealth(): Promise<string> {
  const until = Date.now() + maxWaitMs
  for (;;) {
    try {
      const { status, json } = await get('/api/health', false)
      expect(status === 200 && (json as { status?: unknown }).status === 'ok', `returned ${status}`)
      return 'alive'
    } catch (error) {
      if (Date.now() + pauseMs > until) throw error
      await sleep(pauseMs)
    }
  }
}

async function checkKey(): Promise<string> {
  // Core Tools requires no key, and the local host requires one only if it is set.
  const { status } = await get('/api/customers', false)
  if (isLocal && key === undefined && status !== 401) return 'no key is demanded on this machine'
  expect(status === 401, `returned ${status} without a key`)
  return 'demanded'
}

async function checkOrders(): Promise<string> {
  const customers = await get('/api/customers?top=1')
  const { value, error } = (customers.json ?? {}) as { value?: { customerTenantId: string }[] } & Problem
  if (customers.status === 424 && error?.code === 'key_vault_refused')
    throw new CredentialMissing(String(error.message))
  expect(
    customers.status === 200 && Array.isArray(value),
    `the customers: ${customers.status} ${String(error?.message ?? '')}`,
  )
  const id = value[0]?.customerTenantId
  if (id === undefined) return 'the partner has no customers'
  const orders = await get(`/api/customers/${id}/orders`)
  const {
    items,
    totalCount,
    error: refusal,
  } = (orders.json ?? {}) as { items?: unknown[]; totalCount?: unknown } & Problem
  if (orders.status === 403 && refusal?.code === 'no_customer_relationship')
    return 'refused: the first customer has left'
  expect(orders.status === 200, `returned ${orders.status} ${String(refusal?.message ?? '')}`)
  expect(Array.isArray(items) && totalCount === items.length, 'the response is not a collection of orders')
  expect(orders.headers.get('x-orders-source') === 'live', 'the orders are not live')
  return `${items.length} of the first customer`
}

async function checkBadRequest(): Promise<string> {
  const answer = await get('/api/customers/not-a-guid/orders')
  expectProblem(answer, 400, 'invalid_request')
  const target = (answer.json as Problem).error?.target
  expect(target === 'customerTenantId', `the error is about ${String(target)}`)
  return 'refused with its reason'
}

async function checkUnknownRoute(): Promise<string> {
  expectProblem(await get('/api/there-is-nothing-here'), 404, 'route_not_found')
  return 'returns an error of this app'
}

async function checkDefinition(): Promise<string> {
  const { status, json } = await get('/api/openapi.json', false)
  const { swagger, host, paths } = (json ?? {}) as { swagger?: unknown; host?: unknown; paths?: object }
  expect(status === 200 && swagger === '2.0', `returned ${status}`)
  expect(host === base.host, `names the host ${String(host)}`)
  return `${Object.keys(paths ?? {}).length} paths`
}

const checks: [name: string, check: () => Promise<string>][] = [
  ['health', checkHealth],
  ['key', checkKey],
  ['orders', checkOrders],
  ['bad request', checkBadRequest],
  ['unknown route', checkUnknownRoute],
  ['definition', checkDefinition],
]

for (const [name, check] of checks) {
  try {
    console.log(`ok    ${name}: ${await check()}`)
  } catch (error) {
    const isMissing = error instanceof CredentialMissing
    const message = error instanceof Error ? error.message : String(error)
    console.log(isMissing ? `WAIT  ${name}: reached, credential missing: ${message}` : `FAIL  ${name}: ${message}`)
    process.exitCode = isMissing && process.exitCode !== 1 ? 2 : 1
  }
}
