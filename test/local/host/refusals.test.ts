import { request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { FunctionMetadata, RpcData, RpcHttp } from '../../../local/host/core.ts'
import { createHttpServer, type HttpOptions } from '../../../local/host/http.ts'
import { httpRoutes } from '../../../local/host/routes.ts'

const httpFunction = (
  name: string,
  route: string | undefined,
  methods = ['GET'],
  authLevel = 'anonymous',
): FunctionMetadata => ({
  name,
  bindings: {
    trigger: {
      name: 'request',
      type: 'httpTrigger',
      direction: 'in',
      methods,
      authLevel,
      ...(route === undefined ? {} : { route }),
    },
    $return: { name: '$return', type: 'http', direction: 'out' },
  },
})

const timer: FunctionMetadata = {
  name: 'a-timer',
  bindings: { timer: { name: 'timer', type: 'timerTrigger', direction: 'in' } },
}

const functions = [
  httpFunction('zz-rest', '{*path}', ['GET', 'POST', 'DELETE']),
  httpFunction('orders', 'customers/{customer}/Orders', ['get', 'POST'], 'function'),
  httpFunction('order', 'customers/{customer}/orders/{order}'),
  httpFunction('customers', 'customers'),
  httpFunction('named', undefined),
  httpFunction('changes', 'changes/{kind?}'),
  timer,
]

const routes = httpRoutes(functions, 'api')

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

type Invocation = { name: string; http: RpcHttp | undefined }

/** A server on loopback whose functions all return the same, and their invocations. */
async function serve(options: Partial<HttpOptions> = {}, returned: { value: RpcData } = { value: { http: {} } }) {
  const invocations: Invocation[] = []
  const server = createHttpServer({
    app: {
      functions: new Map(),
      runHooks: async () => undefined,
      invoke: async (name, trigger) => {
        invocations.push({ name, http: trigger?.http })
        return returned.value
      },
    },
    routes,
    startByHand: () => false,
    ...options,
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    const closed = new Promise(resolve => server.close(resolve))
    server.closeAllConnections()
    return closed
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port, invocations }
}

/** Sends an unchanged path, which `fetch` would normalize. */
const raw = (
  port: number,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    send({ port, host: '127.0.0.1', path, headers }, async response => {
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(await response.toArray()).toString() })
    })
      .on('error', reject)
      .end()
  })

const bodyless = async (response: Response) => ({ status: response.status, text: await response.text() })

describe('a refusal of the host', () => {
  test('a refusal of the host has no body: 401 without a required key', async () => {
    const { url, invocations } = await serve({ key: 'k' })
    const orders = `${url}/api/customers/c/orders`
    expect(await bodyless(await fetch(orders))).toEqual({ status: 401, text: '' })
    expect((await fetch(`${orders}?code=x`)).status).toBe(401)
    expect((await fetch(orders, { headers: { 'x-functions-key': 'K' } })).status).toBe(401)
    expect((await fetch(`${orders}?code=k`, { headers: { 'x-functions-key': 'x' } })).status).toBe(401)
    expect(invocations).toEqual([])

    expect((await fetch(`${orders}?code=k`)).status).toBe(200)
    expect((await fetch(orders, { headers: { 'x-functions-key': 'k' } })).status).toBe(200)
    expect((await fetch(`${url}/api/customers`)).status).toBe(200)
  })

  test('a refusal of the host has no body: 404 for an unknown address', async () => {
    const { url } = await serve()
    expect(await bodyless(await fetch(`${url}/elsewhere`))).toEqual({ status: 404, text: '' })
    expect(await bodyless(await fetch(`${url}/api/x`, { method: 'PUT' }))).toEqual({ status: 404, text: '' })
  })

  test('a refusal of the host has no body: 400 for a path with a null character', async () => {
    const { port, invocations } = await serve()
    expect(await raw(port, '/api/customers/%00/orders')).toEqual({ status: 400, text: '' })
    expect(invocations).toEqual([])
  })

  test('a refusal of the host has no body: 414 for an address over 8 KB, 431 for headers over 32 KB', async () => {
    const { port, invocations } = await serve()
    const ofBytes = (count: number) =>
      `/api/customers?a=${'x'.repeat(count - 'GET /api/customers?a= HTTP/1.1\r\n'.length)}`
    expect(await raw(port, ofBytes(8193))).toEqual({ status: 414, text: '' })
    expect(await raw(port, ofBytes(100_000))).toEqual({ status: 414, text: '' })
    expect(invocations).toEqual([])
    expect((await raw(port, ofBytes(8192))).status).toBe(200)
    expect(await raw(port, '/api/customers', { a: 'x'.repeat(33_000) })).toEqual({ status: 431, text: '' })
  })

  test('a refusal of the host has no body: 400 for an invalid host name', async () => {
    const { port } = await serve()
    expect(await raw(port, '/api/customers', { host: 'a b' })).toEqual({ status: 400, text: '' })
  })

  test('a refusal of the host has no body: 500 where the function could not be run', async () => {
    const { url } = await serve({
      app: {
        functions: new Map(),
        runHooks: async () => undefined,
        invoke: () => Promise.reject(new Error('x')),
      },
    })
    expect(await bodyless(await fetch(`${url}/api/customers`))).toEqual({ status: 500, text: '' })
  })

  test('a refusal of the host has no body: 500 for a request over 100 MiB', async () => {
    const { url, invocations } = await serve()
    const post = (length: number) =>
      fetch(`${url}/api/customers/c/orders`, { method: 'POST', body: Buffer.alloc(length) })
    expect(await bodyless(await post(104_857_601))).toEqual({ status: 500, text: '' })
    expect(invocations).toEqual([])
  })
})
