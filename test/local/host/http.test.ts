import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { RpcData } from '../../../local/host/core.ts'
import { forwardTo } from '../../../local/host/forward.ts'
import { decodePath, encodePath } from '../../../local/host/path.ts'
import { bodyless, raw, serve } from '../../support/local-http.ts'

test('requests beyond what host.json allows are refused with 429, and the next ones are taken again', async () => {
  const waiting: (() => void)[] = []
  const invoke = () => new Promise<RpcData>(resolve => waiting.push(() => resolve({ http: {} })))
  const app = { functions: new Map(), runHooks: async () => undefined, invoke }
  const { url } = await serve({ app, maxOutstandingRequests: 2 })
  const ask = () => fetch(`${url}/api/customers`).then(({ status }) => status)
  const first = [ask(), ask()]
  await expect.poll(() => waiting.length).toBe(2)
  expect(await bodyless(await fetch(`${url}/api/customers`))).toEqual({ status: 429, text: '' })
  for (const respond of waiting.splice(0)) respond()
  expect(await Promise.all(first)).toEqual([200, 200])
  const next = ask()
  await expect.poll(() => waiting.length).toBe(1)
  waiting[0]?.()
  expect(await next).toBe(200)
})

describe('a function', () => {
  test('a function gets the request as the host passes it', async () => {
    const { url, invocations } = await serve()
    await fetch(`${url}/api/customers/c%201/orders?a=1&b=%20x`, {
      method: 'POST',
      headers: { 'X-A': '1' },
      body: 'hello',
    })

    expect(invocations.at(-1)).toMatchObject({
      name: 'orders',
      http: {
        method: 'POST',
        url: `${url}/api/customers/c%201/orders?a=1&b=%20x`,
        headers: expect.objectContaining({ 'x-a': '1', 'content-length': '5' }),
        params: { customer: 'c 1' },
        query: { a: '1', b: ' x' },
        body: { bytes: Buffer.from('hello') },
      },
    })
  })

  test.each([
    ['/api/customers/%zz/orders', '%zz', '/api/customers/%25zz/orders'],
    ['/api/customers/%FF/orders', '%FF', '/api/customers/%FF/orders'],
    ['/api/customers/a%252Fb/orders', 'a%2Fb', '/api/customers/a%2Fb/orders'],
    ['/api/customers/%68i%20%3F/%6Frders', 'hi ?', '/api/customers/hi%20%3F/orders'],
  ])('a function gets %s decoded once', async (path, customer, url) => {
    const { port, invocations } = await serve()
    expect((await raw(port, path)).status).toBe(200)
    expect(invocations.at(-1)?.http).toMatchObject({ params: { customer }, url: `http://127.0.0.1:${port}${url}` })
    expect(encodePath(decodePath(path))).toBe(url)
  })

  test('a function gets a repeated parameter as one text', async () => {
    const { url, invocations } = await serve()
    await fetch(`${url}/api/customers?a=1&b=2&a=3`)
    expect(invocations.at(-1)?.http?.query).toEqual({ a: '1,3', b: '2' })
  })

  test('an address with two leading slashes reaches no function', async () => {
    const { port, invocations } = await serve()
    expect(await raw(port, '//127.0.0.1/api/customers')).toEqual({ status: 404, text: '' })
    expect(invocations).toEqual([])
  })

  test('a function gets no body if there is none, or if it was sent chunked', async () => {
    const { url, invocations } = await serve()
    await fetch(`${url}/api/customers/c/orders`)
    await fetch(`${url}/api/customers/c/orders`, { method: 'POST' })
    await fetch(`${url}/api/customers/c/orders`, {
      method: 'POST',
      body: new Blob(['hello']).stream(),
      duplex: 'half',
    } as RequestInit)

    expect(invocations.map(({ http }) => http?.body)).toEqual([undefined, undefined, undefined])
    expect(invocations.at(-1)?.http?.headers).toMatchObject({ 'transfer-encoding': 'chunked' })
  })

  test('the response of a function is sent unchanged', async () => {
    const http = {
      statusCode: '202',
      headers: { location: '/x', 'content-type': 'text/csv' },
      body: { bytes: Buffer.from('é') },
    }
    const { url } = await serve({}, { value: { http } })
    const response = await fetch(`${url}/api/customers`)
    expect(response.status).toBe(202)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      location: '/x',
      'content-type': 'text/csv',
      'transfer-encoding': 'chunked',
    })
    expect(response.headers.get('content-length')).toBeNull()
    expect(await response.text()).toBe('é')
  })

  test.each<[RpcData, number, string, string | null]>([
    [{ http: { statusCode: '200', body: { string: 'text' } } }, 200, 'text', null],
    [{ http: {} }, 200, '', '0'],
    [{ http: { statusCode: '304', headers: { etag: '"a"' } } }, 304, '', null],
    [{ http: { statusCode: '204' } }, 204, '', null],
    [undefined, 204, '', null],
    [null, 204, '', null],
  ])('a function that returns %j gives %i', async (value, status, text, length) => {
    const { url } = await serve({}, { value })
    const response = await fetch(`${url}/api/customers`)
    expect(await bodyless(response)).toEqual({ status, text })
    expect(response.headers.get('content-length')).toBe(length)
  })

  test('a function can be started by hand by its name', async () => {
    const started: string[] = []
    const { url, invocations } = await serve({
      startByHand: name => {
        started.push(name)
        return name === 'a-timer'
      },
    })
    const start = (name: string, method = 'POST') => fetch(`${url}/admin/functions/${name}`, { method })
    expect((await start('a-timer')).status).toBe(202)
    expect((await start('nothing')).status).toBe(404)
    expect((await start('a-timer', 'GET')).status).toBe(404)
    expect((await start('a-timer/more')).status).toBe(404)
    expect((await fetch(`${url}/x/admin/functions/a-timer`, { method: 'POST' })).status).toBe(404)
    expect(started).toEqual(['a-timer', 'nothing'])
    expect(invocations).toEqual([])
  })
})

describe('the master key', () => {
  test('the master key is valid for all functions, and required under /admin', async () => {
    const { url } = await serve({ key: 'k', masterKey: 'm', startByHand: () => true })
    const status = async (path: string, key?: string, method = 'GET') =>
      (await fetch(url + path, { method, headers: key === undefined ? {} : { 'x-functions-key': key } })).status
    expect(await status('/api/customers/c/orders', 'm')).toBe(200)
    expect(await status('/api/customers/c/orders', 'k')).toBe(200)
    expect(await status('/admin/functions/a', 'm', 'POST')).toBe(202)
    expect(await status('/admin/functions/a', 'k', 'POST')).toBe(401)
    expect(await status('/admin/functions/a', undefined, 'POST')).toBe(401)
  })
})

describe('other addresses', () => {
  test('other addresses are passed to a given server on this machine', async () => {
    const seen: string[] = []
    const other = createServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.host}`)
      response.writeHead(201, { 'x-a': 'b' }).end('page')
    })
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void other.close())
    const { url, port } = await serve({
      elsewhere: forwardTo(`http://127.0.0.1:${(other.address() as AddressInfo).port}`),
    })

    const response = await fetch(`${url}/x?y=1`, { method: 'PUT', body: 'hello' })
    expect([response.status, response.headers.get('x-a'), await response.text()]).toEqual([201, 'b', 'page'])
    expect((await fetch(`${url}/api/customers`)).status).toBe(200)
    expect(seen).toEqual([`PUT /x?y=1 127.0.0.1:${port}`])
  })

  test('other addresses give 502 if that server has ended', async () => {
    const { url } = await serve({ elsewhere: forwardTo('http://127.0.0.1:1') })
    expect(await bodyless(await fetch(`${url}/`))).toEqual({ status: 502, text: '' })
  })
})
