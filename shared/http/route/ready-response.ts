import type { HttpResponseInit } from '@azure/functions'

/** The members of a `Response` that the library reads when it converts the response for the worker. */
type ReadyResponse = {
  status: number
  headers: Pick<Map<string, string>, 'entries'>
  arrayBuffer: () => Promise<Buffer>
}

/**
 * Adds the converted response. The library creates a `Response` from status, headers and body, and then reads them from
 * it again. For the bytes of orders, that takes as long as sending them and copies them twice. The `HttpResponse` of
 * the library accepts a finished response as `nativeResponse`, a member that its types omit. A library without this
 * member uses the other members: the response stays correct and is only slower.
 */
export function withReadyResponse(response: HttpResponseInit): HttpResponseInit {
  const { status = 200, headers, body } = response
  if (!Buffer.isBuffer(body)) return response
  const ready: ReadyResponse = {
    status,
    headers: new Map(Object.entries(headers as Record<string, string>)),
    arrayBuffer: async () => body,
  }
  // Not enumerable, so that a comparison, a copy or a log of the response does not contain it.
  return Object.defineProperty(response, 'nativeResponse', { value: ready })
}
