import { describe, expect, test } from 'vitest'
import { bodyless, raw, serve } from '../../support/local-http.ts'

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
