import { createHash } from 'node:crypto'
import type { HttpRequest, HttpResponseInit } from '@azure/functions'

type ResponseOptions = {
  status?: number
  contentType?: string
  headers?: Record<string, string>
  /**
   * The `If-None-Match` header of the request. A body with that ETag gives 304. Undefined: the response has no ETag.
   */
  ifNoneMatch?: string | null | undefined
}

/**
 * A response. If `ifNoneMatch` is given (null if the request has no such header), it has a strong ETag of its bytes.
 */
export function respond(body: string | Buffer, options: ResponseOptions = {}): HttpResponseInit {
  const { status = 200, contentType = 'application/json', ifNoneMatch } = options
  const headers: Record<string, string> = { 'cache-control': 'private, no-cache', ...options.headers }
  if (ifNoneMatch !== undefined) {
    const etag = strongEtag(body)
    headers.etag = etag
    if (ifNoneMatch !== null && matchesEtag(ifNoneMatch, etag)) return { status: 304, headers }
  }
  return { status, headers: { ...headers, 'content-type': contentType }, body }
}

/** The `If-None-Match` header of a request that reads. The response to a POST is never 304 (RFC 9110, 13.1.2). */
export const ifNoneMatchOf = ({ method, headers }: HttpRequest): string | null =>
  method === 'POST' ? null : headers.get('if-none-match')

const strongEtag = (body: string | Buffer): string => `"${createHash('sha256').update(body).digest('base64url')}"`

/** RFC 9110, 13.1.2: a list of ETags or `*`. The comparison is weak, so the prefix `W/` is ignored. */
function matchesEtag(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch.trim() === '*') return true
  return (ifNoneMatch.match(/(?:W\/)?"[^"]*"/g) ?? []).some(candidate => candidate.replace(/^W\//, '') === etag)
}
