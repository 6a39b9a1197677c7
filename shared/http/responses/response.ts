import { createHash } from 'node:crypto'
import type { HttpRequest, HttpResponseInit } from '@azure/functions'

export type ResponseOptions = {
  status?: number
  contentType?: string
  headers?: Record<string, string>
  /** The request's `If-None-Match`; an equal body is then answered with 304. Undefined: the answer carries no ETag. */
  ifNoneMatch?: string | null | undefined
}

/** A finished answer. With `ifNoneMatch` (null if the caller sent none) it carries a strong ETag over its bytes. */
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

/** The `If-None-Match` of a request that reads. A POST is never answered with 304 (RFC 9110, 13.1.2). */
export const ifNoneMatchOf = ({ method, headers }: HttpRequest): string | null =>
  method === 'POST' ? null : headers.get('if-none-match')

const strongEtag = (body: string | Buffer): string => `"${createHash('sha256').update(body).digest('base64url')}"`

/** RFC 9110, 13.1.2: a list of ETags or `*`; the comparison is weak, so `W/` is passed over. */
function matchesEtag(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch.trim() === '*') return true
  return (ifNoneMatch.match(/(?:W\/)?"[^"]*"/g) ?? []).some(candidate => candidate.replace(/^W\//, '') === etag)
}
