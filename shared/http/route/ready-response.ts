import type { HttpResponseInit } from '@azure/functions'

/** The members of a `Response` that the library reads when it converts one for the worker. */
type ReadyResponse = {
  status: number
  headers: Pick<Map<string, string>, 'entries'>
  arrayBuffer: () => Promise<Buffer>
}

/**
 * Adds to a response what the library would make of it. The library builds a `Response` from status, headers and body, only
 * to read them from it again; for the bytes of orders this takes as long as sending them and copies them twice.
 * Its `HttpResponse` takes a response that is already there as `nativeResponse`, which its types do not mention. A library
 * that knows no such member makes its own from the others, so the response stays right and only becomes slower.
 */
export function withReadyResponse(response: HttpResponseInit): HttpResponseInit {
  const { status = 200, headers, body } = response
  if (!Buffer.isBuffer(body)) return response
  const ready: ReadyResponse = {
    status,
    headers: new Map(Object.entries(headers as Record<string, string>)),
    arrayBuffer: async () => body,
  }
  // Not enumerable: what is compared, copied or logged of a response are its own members.
  return Object.defineProperty(response, 'nativeResponse', { value: ready })
}
