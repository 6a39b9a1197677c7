import { HttpRequest, type HttpResponseInit, InvocationContext } from '@azure/functions'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

const customer = 'b0d70a69-4c42-4b27-b17b-91a835d8686a'
const settings = {
  PARTNER_CENTER_TENANT_ID: customer,
  PARTNER_CENTER_CLIENT_ID: customer,
  KEY_VAULT_URI: 'https://vault.example',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  REQUEST_DEADLINE_SECONDS: '7',
}

/** The module with its own app, because an app keeps its settings. */
async function load() {
  vi.resetModules()
  const [{ routeWithoutParameters, route }, { AppError }] = await Promise.all([
    import('../../../../shared/http/route/route.ts'),
    import('../../../../shared/errors.ts'),
  ])
  return { routeWithoutParameters, route, AppError }
}

type Line = { level: string; event: Record<string, unknown> }

function invocation(query = '', headers: Record<string, string> = {}) {
  const lines: Line[] = []
  const request = new HttpRequest({
    method: 'GET',
    url: `http://localhost/api/customers/${customer}/orders${query}`,
    headers,
    params: { customerTenantId: customer },
  })
  const context = new InvocationContext({
    functionName: 'get-things',
    logHandler: (level, line) => lines.push({ level, event: JSON.parse(String(line)) as Record<string, unknown> }),
  })
  return { request, context, lines }
}

const read = ({ status, headers, body }: HttpResponseInit) => ({
  status,
  headers: headers as Record<string, string>,
  body: body === undefined ? undefined : (JSON.parse(String(body)) as { error: { code: string; message: string } }),
})

beforeEach(() => {
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value)
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.useRealTimers()
})

describe('a wrapped function', () => {
  test('a wrapped function responds with the caller’s id and logs one line', async () => {
    const { routeWithoutParameters } = await load()
    const { request, context, lines } = invocation('', {
      'x-ms-correlation-id': 'id-1',
      'x-ms-workflow-run-id': 'r'.repeat(200),
    })
    const handler = routeWithoutParameters(async (_, { operation }) => ({
      status: 202,
      headers: { 'x-a': operation.correlationId },
      body: '1',
    }))

    expect(await handler(request, context)).toEqual({
      status: 202,
      headers: { 'x-a': 'id-1', 'x-correlation-id': 'id-1' },
      body: '1',
    })
    expect(lines).toEqual([
      {
        level: 'information',
        event: {
          event: 'request',
          level: 'info',
          function: 'get-things',
          correlationId: 'id-1',
          workflowRunId: 'r'.repeat(128),
          status: 202,
          ms: expect.any(Number),
        },
      },
    ])
  })

  test('a wrapped function converts an unexpected failure to an internal error without details', async () => {
    const { routeWithoutParameters } = await load()
    const { request, context, lines } = invocation('?x=1', { 'x-ms-correlation-id': 'id-1' })
    const respond = await routeWithoutParameters(async () => {
      throw new TypeError('cannot read hunter2, client_secret=hunter3')
    })(request, context)
    const { status, headers, body } = read(respond)

    expect(status).toBe(500)
    expect(body).toMatchObject({
      error: { code: 'internal_error' },
      correlationId: 'id-1',
      instance: `/api/customers/${customer}/orders`,
      retryable: false,
    })
    expect(headers).toMatchObject({ 'x-correlation-id': 'id-1', 'cache-control': 'private, no-store' })
    expect(String(respond.body)).not.toMatch(/hunter|TypeError|route\.test|\bat /)
    expect(lines).toEqual([
      {
        level: 'error',
        event: expect.objectContaining({
          event: 'request',
          status: 500,
          code: 'internal_error',
          why: expect.stringContaining('TypeError: cannot read hunter2'),
          stack: expect.stringContaining('route.test'),
        }),
      },
    ])
    expect(JSON.stringify(lines)).not.toContain('hunter3')
  })

  test.each([['text'], [undefined], [null], [{ code: 'order_not_found', status: 404 }]])(
    'a wrapped function responds even if %j is thrown',
    async thrown => {
      const { routeWithoutParameters } = await load()
      const { request, context } = invocation()
      const respond = await routeWithoutParameters(() => Promise.reject(thrown))(request, context)
      expect(read(respond)).toMatchObject({ status: 500, body: { error: { code: 'internal_error' } } })
    },
  )

  test.each([
    ['invalid_request', 'warning'],
    ['customer_not_found', 'warning'],
    ['partner_center_forbidden', 'warning'],
    ['partner_center_throttled', 'warning'],
    ['credential_rejected', 'error'],
    ['partner_center_invalid_response', 'error'],
    ['deadline_exceeded', 'error'],
  ] as const)('logs %s as %s, with what the upstream said and no stack', async (code, level) => {
    const { routeWithoutParameters, AppError } = await load()
    const { request, context, lines } = invocation()
    const upstream = { status: 400, code: '7', requestId: 'r' }
    const respond = await routeWithoutParameters(async () => {
      throw new AppError(code, 'Do this.', { upstream })
    })(request, context)

    expect(read(respond).body?.error.code).toBe(code)
    expect(lines).toEqual([{ level, event: expect.objectContaining({ code, upstream, why: expect.any(String) }) }])
    expect(lines[0]?.event).not.toHaveProperty('stack')
  })

  test('a wrapped function gives its handler an id and 100 seconds without a caller’s id and settings', async () => {
    vi.unstubAllEnvs()
    const { routeWithoutParameters } = await load()
    const { request, context } = invocation()
    const before = Date.now()
    let left = 0
    const handler = routeWithoutParameters(async (_, { operation }) => {
      left = operation.deadline.at - before
      return { status: 200, headers: { 'x-a': operation.correlationId } }
    })
    const { headers } = read(await handler(request, context))
    expect(headers['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(headers['x-a']).toBe(headers['x-correlation-id'])
    expect(Math.floor(left / 10_000)).toBe(10)
  })
})

describe('a function with parameters', () => {
  test('a function with parameters gets the parsed values and the deadline of the settings', async () => {
    const { route } = await load()
    const { request, context } = invocation('?includePrice=true')
    let left = 0
    let input: unknown
    const before = Date.now()
    const respond = await route({
      parameters: module => module.customerOrders,
      handle: async (given, { operation, app, request: same }) => {
        input = given
        left = operation.deadline.at - before
        expect(same).toBe(request)
        expect((await app.settings()).deadlineSeconds).toBe(7)
        return { status: 200 }
      },
    })(request, context)

    expect(respond.status).toBe(200)
    expect(input).toMatchObject({ customerTenantId: customer, includePrice: true, includeSystemPurchases: true })
    expect(left).toBeGreaterThanOrEqual(7000)
    expect(left).toBeLessThan(12_000)
  })

  test('a function with parameters whose deadline passes gives deadline_exceeded, and leaves no timer', async () => {
    const { route } = await load()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const entered = Promise.withResolvers<void>()
    const handler = route({
      parameters: module => module.customerOrders,
      handle: (_, { operation }) =>
        new Promise((_, reject) => {
          entered.resolve()
          operation.deadline.signal.addEventListener('abort', () => reject(operation.deadline.signal.reason))
        }),
    })
    const { request, context } = invocation()
    const respond = handler(request, context)
    await entered.promise
    expect(vi.getTimerCount()).toBe(1)
    await vi.advanceTimersByTimeAsync(7000)

    expect(read(await respond)).toMatchObject({
      status: 503,
      headers: { 'retry-after': '30' },
      body: { error: { code: 'deadline_exceeded', message: expect.stringContaining('7 seconds') } },
    })
    expect(vi.getTimerCount()).toBe(0)
  })

  test.each(['return', 'throw'])('a function with parameters leaves no timer after a %s', async end => {
    const { route } = await load()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { request, context } = invocation()
    await route({
      parameters: module => module.customerOrders,
      handle: async () => {
        if (end === 'throw') throw new Error('x')
        return { status: 200 }
      },
    })(request, context)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a function with parameters does not run on bad input', async () => {
    const { route } = await load()
    const { request, context } = invocation('?top=5')
    const handle = vi.fn()
    const respond = await route({ parameters: module => module.customerOrders, handle })(request, context)
    expect(read(respond)).toMatchObject({ status: 400, body: { error: { code: 'invalid_request', target: 'top' } } })
    expect(handle).not.toHaveBeenCalled()
  })

  test('a function with parameters does not run without its settings, and reports the missing ones', async () => {
    vi.stubEnv('PARTNER_CENTER_CLIENT_ID', '')
    vi.stubEnv('KEY_VAULT_URI', 'http://vault.example')
    const { route } = await load()
    const { request, context, lines } = invocation('?top=5')
    const handle = vi.fn()
    const respond = await route({ parameters: module => module.customerOrders, handle })(request, context)

    expect(read(respond)).toMatchObject({
      status: 500,
      body: { error: { code: 'app_misconfigured' }, retryable: false },
    })
    expect(read(respond).body?.error.message).toMatch(/PARTNER_CENTER_CLIENT_ID.*KEY_VAULT_URI/)
    expect(lines).toMatchObject([{ level: 'error', event: { code: 'app_misconfigured' } }])
    expect(handle).not.toHaveBeenCalled()
  })
})
