import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createSocketServer } from 'node:net'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { createTransport, maxBodyBytes, type TransportError } from '../../../shared/partner-center/transport.ts'

type Running = { url: (path?: string) => URL; sockets: () => number; atOnce: () => number }

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

/** A server on loopback that counts its connections. */
async function serve(listener: RequestListener): Promise<Running> {
  const server: Server = createServer(listener)
  let sockets = 0
  let open = 0
  let most = 0
  server.on('connection', socket => {
    sockets++
    most = Math.max(most, ++open)
    socket.on('close', () => open--)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  ends.push(async () => {
    const closed = new Promise(resolve => server.close(resolve))
    server.closeAllConnections()
    await closed
  })
  const { port } = server.address() as AddressInfo
  return { url: (path = '/') => new URL(path, `http://127.0.0.1:${port}`), sockets: () => sockets, atOnce: () => most }
}

const never = new AbortController().signal
const get = (url: URL, signal = never, silenceMs = 30_000) =>
  ({ method: 'GET', url, headers: {}, deadline: { signal, silenceMs } }) as const
const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    error => error as unknown,
  )
const fault = (kind: TransportError['kind']) => expect.objectContaining({ name: 'TransportError', kind })

const transport = createTransport({ connections: 4 })
const small = createTransport({ connections: 4, maxBodyBytes: 1000 })

describe('a request', () => {
  test('a request sends its method, path, headers and body, and asks for compressed answers', async () => {
    const { url } = await serve((request, response) => {
      let body = ''
      request.on('data', chunk => (body += String(chunk)))
      request.on('end', () => {
        const { method, url, headers } = request
        response.writeHead(201, { 'x-two': ['a', 'b'], 'content-type': 'application/json' })
        response.end(JSON.stringify({ method, url, accept: headers['accept-encoding'], x: headers['x-one'], body }))
      })
    })
    const answer = await transport({
      method: 'POST',
      url: url('/v1/a%20b?c=d%26e'),
      headers: { 'x-one': '1' },
      body: 'grant_type=é',
      deadline: { signal: never, silenceMs: 30_000 },
    })
    expect(answer.status).toBe(201)
    expect(answer.headers).toMatchObject({ 'x-two': 'a, b', 'content-type': 'application/json' })
    expect(JSON.parse(answer.body.toString())).toEqual({
      method: 'POST',
      url: '/v1/a%20b?c=d%26e',
      accept: 'gzip, deflate',
      x: '1',
      body: 'grant_type=é',
    })
  })

  test.each([204, 301, 304, 404, 500])('a redirect %i is returned and not followed', async status => {
    const { url } = await serve((_, response) => response.writeHead(status, { location: '/elsewhere' }).end())
    const answer = await transport(get(url()))
    expect(answer).toMatchObject({ status, headers: { location: '/elsewhere' } })
    expect(answer.body).toHaveLength(0)
  })

  test('a request returns the bytes of the body unchanged', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    const { url } = await serve((_, response) => response.end(bytes))
    expect((await transport(get(url()))).body.equals(bytes)).toBe(true)
  })
})

describe('connections', () => {
  test('connections are kept for the next requests', async () => {
    const { url, sockets } = await serve((_, response) => response.end('ok'))
    for (let turn = 0; turn < 20; turn++) await transport(get(url()))
    expect(sockets()).toBeLessThanOrEqual(4)
  })

  test('connections are bounded: further requests wait for one', async () => {
    const { url, atOnce } = await serve((_, response) => setTimeout(() => response.end('ok'), 5))
    const answers = await Promise.all(Array.from({ length: 20 }, () => transport(get(url()))))
    expect(answers).toHaveLength(20)
    expect(atOnce()).toBe(4)
  })

  test('connections that the server closed are replaced without a failure', async () => {
    const { url, sockets } = await serve((_, response) => response.writeHead(200, { connection: 'close' }).end('ok'))
    for (let turn = 0; turn < 3; turn++) expect((await transport(get(url()))).status).toBe(200)
    expect(sockets()).toBe(3)
  })

  test('connections carry one call at a time', async () => {
    const waiting: ServerResponse[] = []
    const { url, sockets } = await serve((_, response) => {
      waiting.push(response)
      if (waiting.length === 2) for (const each of waiting) each.end('ok')
    })
    await Promise.all([transport(get(url())), transport(get(url()))])
    expect(sockets()).toBe(2)
  })
})

describe('a compressed response', () => {
  const text = JSON.stringify({ items: Array.from({ length: 500 }, (_, id) => ({ id })) })

  test.each([
    ['gzip', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    ['GZIP', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['br', brotliCompressSync(text)],
    ['deflate, gzip', gzipSync(deflateSync(text))],
    ['identity', Buffer.from(text)],
  ])('a response compressed with %s is decompressed, including an error', async (encoding, bytes) => {
    const { url } = await serve((request, response) => {
      response.writeHead(request.url === '/error' ? 500 : 200, { 'content-encoding': encoding }).end(bytes)
    })
    const [good, error] = await Promise.all([transport(get(url())), transport(get(url('/error')))])
    expect(good.body.toString()).toBe(text)
    expect(error).toMatchObject({ status: 500 })
    expect(error.body.toString()).toBe(text)
  })

  test.each([
    ['truncated gzip', 'gzip', gzipSync(text).subarray(0, -20)],
    ['truncated deflate', 'deflate', deflateSync(text).subarray(0, -20)],
    ['gzip with a wrong checksum', 'gzip', Buffer.concat([gzipSync(text).subarray(0, -8), Buffer.alloc(8)])],
    ['gzip that is plain text', 'gzip', Buffer.from(text)],
    ['brotli that is plain text', 'br', Buffer.from(text)],
  ])('a compressed response that is %s is undecodable', async (_, encoding, bytes) => {
    const { url } = await serve((_, response) => response.writeHead(200, { 'content-encoding': encoding }).end(bytes))
    expect(await failureOf(transport(get(url())))).toEqual(fault('undecodable'))
  })

  test('a compressed response cut off with its connection is a network fault', async () => {
    const bytes = gzipSync(text)
    const { url } = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': bytes.length })
      response.write(bytes.subarray(0, 100), () => response.socket?.destroy())
    })
    expect(await failureOf(transport(get(url())))).toEqual(fault('network'))
  })
})

describe('a response above the limit', () => {
  const send = (write: (response: ServerResponse, length: number) => void) =>
    serve((request, response) =>
      write(response, Number(new URL(request.url ?? '', 'http://x').searchParams.get('length'))),
    )

  test.each<[string, (response: ServerResponse, length: number) => void]>([
    [
      'with a content-length',
      (response, length) => response.writeHead(200, { 'content-length': length }).end('x'.repeat(length)),
    ],
    [
      'in chunks',
      (response, length) => {
        response.write('x'.repeat(length - 1))
        response.end('x')
      },
    ],
    [
      'until the connection closes',
      (response, length) => response.writeHead(200, { connection: 'close' }).end('x'.repeat(length)),
    ],
    [
      'once decompressed',
      (response, length) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(length))),
    ],
    [
      'once decompressed twice',
      (response, length) =>
        response.writeHead(200, { 'content-encoding': 'gzip, gzip' }).end(gzipSync(gzipSync('x'.repeat(length)))),
    ],
  ])('a response above the limit %s is refused, and one at the limit is not', async (_, write) => {
    const { url } = await send(write)
    expect((await small(get(url('/?length=1000')))).body).toHaveLength(1000)
    expect(await failureOf(small(get(url('/?length=1001'))))).toEqual(fault('too-large'))
  })

  test('the default limit of a response is 256 MiB', async () => {
    expect(maxBodyBytes).toBe(256 * 1024 * 1024)
    const bomb = gzipSync(Buffer.alloc(maxBodyBytes + 1))
    const { url } = await serve((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb))
    expect(await failureOf(transport(get(url())))).toEqual(fault('too-large'))
  })
})

describe('a network fault', () => {
  test.each<[string, RequestListener]>([
    ['a reset before the answer', (_, response) => response.socket?.destroy()],
    [
      'a connection lost inside a body of known length',
      (_, response) => {
        response.writeHead(200, { 'content-length': 100 })
        response.write('x', () => response.socket?.destroy())
      },
    ],
    ['a connection lost inside a chunked body', (_, response) => response.write('x', () => response.socket?.destroy())],
    ['an answer that is not HTTP', (_, response) => response.socket?.end('hello\r\n\r\n')],
  ])('a network fault is %s', async (_, listener) => {
    const { url } = await serve(listener)
    expect(await failureOf(transport(get(url())))).toEqual(fault('network'))
  })

  test('a network fault is a refused connection, by address and by name', async () => {
    const server = createSocketServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise(resolve => server.close(resolve))
    for (const host of ['127.0.0.1', 'localhost']) {
      const error = await failureOf(transport(get(new URL(`http://${host}:${port}/?secret=1`))))
      expect(error).toEqual(fault('network'))
      expect(error).toMatchObject({ message: expect.stringContaining(`${host}:${port}`), cause: expect.any(Error) })
      expect(String(error)).not.toContain('secret')
    }
  })

  test('a network fault is a name that does not exist', async () => {
    expect(await failureOf(transport(get(new URL('http://nowhere.invalid/'))))).toEqual(fault('network'))
  })
})

describe('a request whose signal aborts', () => {
  const reason = new Error('the deadline has passed')

  test('a request whose signal aborts before it is sent fails with the reason and is not sent', async () => {
    let asked = 0
    const { url } = await serve((_, response) => {
      asked++
      response.end()
    })
    expect(await failureOf(transport(get(url(), AbortSignal.abort(reason))))).toBe(reason)
    expect(asked).toBe(0)
  })

  test.each<[string, RequestListener]>([
    ['before the answer', () => undefined],
    ['inside the body', (_, response) => void response.writeHead(200).write('x')],
    [
      'inside a compressed body',
      (_, response) =>
        void response.writeHead(200, { 'content-encoding': 'gzip' }).write(gzipSync('x').subarray(0, 12)),
    ],
  ])('a request whose signal aborts: %s fails with the reason and closes the connection', async (_, listener) => {
    const abort = new AbortController()
    let closed: Promise<unknown> = Promise.resolve()
    const { url } = await serve((request, response) => {
      closed = new Promise(resolve => request.socket.once('close', resolve))
      listener(request, response)
      setTimeout(() => abort.abort(reason), 20)
    })
    expect(await failureOf(transport(get(url(), abort.signal)))).toBe(reason)
    await closed
  })

  test('a request whose signal aborts does not abort others', async () => {
    const abort = new AbortController()
    const { url } = await serve((request, response) => {
      if (request.url === '/hang') setTimeout(() => abort.abort(reason), 5)
      else setTimeout(() => response.end('ok'), 30)
    })
    const [hanging, other] = await Promise.all([
      failureOf(transport(get(url('/hang'), abort.signal))),
      transport(get(url('/ok'))),
    ])
    expect(hanging).toBe(reason)
    expect(other.body.toString()).toBe('ok')
  })
})
