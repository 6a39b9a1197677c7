import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { FunctionMetadata, LoadedApp, RpcHttp } from './core.ts'

type Segment = { kind: 'text' | 'one' | 'optional' | 'rest'; value: string }

export type HttpRoute = { name: string; methods: string[]; authLevel: string; segments: Segment[] }

/** The host's own default for a request body. */
const maxBodyBytes = 104_857_600

/** HTTP functions in the order the host tries them: by name, whatever their routes. */
export function httpRoutes(functions: Iterable<FunctionMetadata>, prefix: string): HttpRoute[] {
  return [...functions]
    .flatMap(({ name, bindings }) => {
      const trigger = Object.values(bindings).find(({ type }) => type === 'httpTrigger')
      if (trigger === undefined) return []
      const path = [prefix, String(trigger.route ?? name)].filter(part => part !== '').join('/')
      const methods = ((trigger.methods as string[] | undefined) ?? []).map(method => method.toUpperCase())
      return [{ name, methods, authLevel: String(trigger.authLevel), segments: path.split('/').map(toSegment) }]
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function toSegment(text: string): Segment {
  const [, star, name, mark] = /^\{(\*?)(\w+)(\??)\}$/.exec(text) ?? []
  if (name === undefined) return { kind: 'text', value: text.toLowerCase() }
  return { kind: star === '*' ? 'rest' : mark === '?' ? 'optional' : 'one', value: name }
}

export function matchRoute(route: HttpRoute, method: string, path: string): Record<string, string> | undefined {
  if (!route.methods.includes(method)) return undefined
  const parts = path.split('/').filter((part, index, all) => index > 0 && !(part === '' && index === all.length - 1))
  const params: Record<string, string> = {}
  for (const [index, segment] of route.segments.entries()) {
    if (segment.kind === 'rest') {
      const rest = parts.slice(index).map(decode).join('/')
      return rest === '' ? params : { ...params, [segment.value]: rest }
    }
    const part = parts[index]
    if (part === undefined) return segment.kind === 'optional' ? params : undefined
    if (segment.kind === 'one' || segment.kind === 'optional') {
      if (part === '') return undefined
      params[segment.value] = decode(part)
    } else if (part.toLowerCase() !== segment.value) return undefined
  }
  return parts.length === route.segments.length ? params : undefined
}

/** The host decodes a route parameter but for encoded slashes. */
const decode = (part: string): string => part.split(/%2f/i).map(decodeURIComponent).join('%2F')

export type HttpOptions = {
  app: LoadedApp
  routes: HttpRoute[]
  /** If given, functions with authLevel `function` demand it in `x-functions-key` or `code`. Core Tools checks none. */
  key?: string | undefined
  /** Starts a function by hand, as the platform's `POST /admin/functions/{name}` does; false if there is no such function. */
  startByHand: (name: string) => boolean
}

/** Serves HTTP triggers with the host's semantics; its own refusals have no body. */
export function createHttpServer({ app, routes, key, startByHand }: HttpOptions): Server {
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', `http://${request.headers.host ?? 'localhost'}`)
    const admin = /^\/admin\/functions\/([\w-]+)$/.exec(url.pathname)
    if (admin !== null && request.method === 'POST') return end(response, startByHand(admin[1] ?? '') ? 202 : 404)

    const method = request.method ?? 'GET'
    const body = await readBody(request)
    if (body === undefined) return end(response, 413)
    for (const route of routes) {
      const params = matchRoute(route, method, url.pathname)
      if (params === undefined) continue
      const given = request.headers['x-functions-key'] ?? url.searchParams.get('code')
      if (key !== undefined && route.authLevel !== 'anonymous' && given !== key) return end(response, 401)
      return send(response, await invoke(route.name, method, url, request, params, body))
    }
    end(response, 404)
  }

  async function invoke(
    name: string,
    method: string,
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
    // Without streaming, the platform loses a body that is sent chunked.
    const arrives = request.headers['transfer-encoding'] === undefined && body.length > 0
    const http: RpcHttp = {
      method,
      url: url.href,
      headers,
      params,
      query: Object.fromEntries(url.searchParams),
      ...(arrives ? { body: { bytes: body } } : {}),
    }
    const result = await app.invoke(name, { http })
    return result?.http ?? { statusCode: '204' }
  }

  return createServer((request, response) => {
    handle(request, response).catch(error => {
      // A path or host that is no URL, the platform refuses by itself.
      const isMalformed =
        error instanceof URIError || (error instanceof TypeError && 'code' in error && error.code === 'ERR_INVALID_URL')
      if (isMalformed) return end(response, 400)
      console.error(JSON.stringify({ event: 'function_failed', message: String(error) }))
      end(response, 500)
    })
  })
}

const end = (response: ServerResponse, status: number): void => {
  response.writeHead(status, { 'content-length': 0 }).end()
}

function send(response: ServerResponse, { statusCode, headers, body }: RpcHttp): void {
  const bytes = body?.bytes ?? Buffer.from(body?.string ?? '')
  const status = Number(statusCode ?? 200)
  response.writeHead(status, {
    ...headers,
    ...(status === 304 || status === 204 ? {} : { 'content-length': bytes.length }),
  })
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
