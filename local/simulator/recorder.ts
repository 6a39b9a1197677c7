import type { IncomingMessage, ServerResponse } from 'node:http'

/** One request to a service of the simulator. */
export type RecordedRequest = {
  /** Milliseconds since 1970 UTC. */
  at: number
  method: string
  path: string
  query: URLSearchParams
  headers: Record<string, string>
  /** The form or JSON text of the request. Empty for reads. */
  body: string
}

export type Exchange = { request: RecordedRequest; response: ServerResponse }

/** Handles its own requests, and returns false for others. */
export type Service = (exchange: Exchange) => boolean | Promise<boolean>

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): true {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': bytes.length,
    ...headers,
  })
  response.end(bytes)
  return true
}

export async function record(request: IncomingMessage): Promise<RecordedRequest> {
  const at = Date.now()
  const url = new URL(request.url ?? '/', 'http://simulator')
  let body = ''
  for await (const chunk of request) body += String(chunk)
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
  return { at, method: request.method ?? 'GET', path: url.pathname, query: url.searchParams, headers, body }
}
