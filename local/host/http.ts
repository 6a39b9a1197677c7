import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { LoadedApp, RpcHttp } from './core.ts'
import { decodePath, encodePath } from './path.ts'
import { type HttpRoute, matchRoute } from './routes.ts'

/** The limits of the platform. */
const maxBodyBytes = 104_857_600
const maxRequestLineBytes = 8192
const maxHeaderBytes = 32_768

export type HttpOptions = {
  app: LoadedApp
  routes: HttpRoute[]
  /**
   * If given, functions with authLevel `function` require it in `x-functions-key` or `code`. Core Tools checks no key.
   */
  key?: string | undefined
  /** If given, it is valid for functions, too, and required under `/admin`. */
  masterKey?: string | undefined
  /**
   * Starts a function by hand, like the platform's `POST /admin/functions/{name}`. False if there is no such function.
   */
  startByHand: (name: string) => boolean
  /** Handles addresses without a function. The default is 404. */
  elsewhere?: ((request: IncomingMessage, response: ServerResponse) => void) | undefined
}

/** Serves HTTP triggers like the Functions host. Errors of the host itself have no body. */
export function createHttpServer({ app, routes, key, masterKey, startByHand, elsewhere }: HttpOptions): Server {
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url: target = '/' } = request
    if (Buffer.byteLength(`${method} ${target} HTTP/1.1\r\n`) > maxRequestLineBytes) return end(response, 414)
    const origin = `http://${request.headers.host ?? 'localhost'}`
    const url = new URL(target.startsWith('/') ? origin + target : target, origin)
    if (/%00/.test(url.pathname)) return end(response, 400)
    const path = decodePath(url.pathname)
    const given = request.headers['x-functions-key'] ?? url.searchParams.get('code')

    const admin = /^\/admin\/functions\/([\w-]+)$/.exec(path)
    if (admin !== null && request.method === 'POST') {
      if (masterKey !== undefined && given !== masterKey) return end(response, 401)
      return end(response, startByHand(admin[1] ?? '') ? 202 : 404)
    }
    for (const route of routes) {
      const params = matchRoute(route, method, path)
      if (params === undefined) continue
      const isOpen = key === undefined || route.authLevel === 'anonymous'
      const fits = given === key || (masterKey !== undefined && given === masterKey)
      if (!isOpen && !fits) return end(response, 401)
      const body = await readBody(request)
      // The web server refuses with 413, which the Functions host converts to 500.
      if (body === undefined) return end(response, 500)
      url.pathname = encodePath(path)
      return send(request, response, await invoke(route.name, url, request, params, body))
    }
    if (elsewhere === undefined) end(response, 404)
    else elsewhere(request, response)
  }

  async function invoke(
    name: string,
    url: URL,
    request: IncomingMessage,
    params: Record<string, string>,
    body: Buffer,
  ): Promise<RpcHttp> {
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([key, value]) => [
        key,
        Array.isArray(value) ? value.join(', ') : (value ?? ''),
      ]),
    )
    // Without streaming, the platform drops a chunked body.
    const arrives = request.headers['transfer-encoding'] === undefined && body.length > 0
    const http: RpcHttp = {
      method: request.method ?? 'GET',
      url: url.href,
      headers,
      params,
      query: joinRepeated(url.searchParams),
      ...(arrives ? { body: { bytes: body } } : {}),
    }
    const result = await app.invoke(name, { http })
    return result?.http ?? { statusCode: '204' }
  }

  const server = createServer({ maxHeaderSize: 2 ** 20 }, (request, response) => {
    const headerBytes = request.rawHeaders.reduce((sum, text) => sum + Buffer.byteLength(text) + 2, 0)
    if (headerBytes > maxHeaderBytes) return end(response, 431)
    handle(request, response).catch(error => {
      // The platform itself refuses an invalid host name.
      if (error instanceof TypeError && 'code' in error && error.code === 'ERR_INVALID_URL') return end(response, 400)
      console.error(JSON.stringify({ event: 'function_failed', message: String(error) }))
      end(response, 500)
    })
  })
  return server
}

/** Joins the values of a repeated parameter, like the platform. */
function joinRepeated(parameters: URLSearchParams): Record<string, string> {
  const names = new Set(parameters.keys())
  return Object.fromEntries([...names].map(name => [name, parameters.getAll(name).join(',')]))
}

/** After these statuses, the platform closes the connection, because the next bytes are not necessarily a request. */
const closing = new Set([400, 414, 431, 500])

const end = (response: ServerResponse, status: number): void => {
  response.writeHead(status, { 'content-length': 0, ...(closing.has(status) ? { connection: 'close' } : {}) }).end()
}

/** Responses are chunked, whatever their length. A response without a body has `content-length: 0`. */
function send(request: IncomingMessage, response: ServerResponse, { statusCode, headers, body }: RpcHttp): void {
  const bytes = body?.bytes ?? Buffer.from(body?.string ?? '')
  const status = Number(statusCode ?? 200)
  const saysEmpty = bytes.length === 0 && status !== 204 && status !== 304 && request.method !== 'HEAD'
  response.writeHead(status, { ...headers, ...(saysEmpty ? { 'content-length': 0 } : {}) })
  response.end(bytes)
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBodyBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
