import { z } from 'zod'
import { AppError } from '../errors.ts'
import type { OperationContext } from '../runtime/operation.ts'
import { parseBounded } from './json-bytes.ts'
import type { PartnerRequest, RequestPartnerCenter } from './request.ts'

const headerSchema = z.looseObject({ key: z.string(), value: z.string() })

const linkSchema = z.looseObject({ uri: z.string(), headers: z.array(headerSchema).nullish() })

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The links of a collection. Only `next` is used. A value that is not an object counts as no links. */
export const collectionLinksSchema = z.preprocess(
  value => (isObject(value) ? value : {}),
  z.looseObject({ next: linkSchema.nullish() }),
)

export type NextLink = z.infer<typeof linkSchema>

/** The link to the next page in the `links` member of a collection. */
export const readNextLink = (links: Buffer): NextLink | undefined =>
  collectionLinksSchema.parse(parseBounded(links)).next ?? undefined

export type PageLimits = { pages: number; bytes: number }

/** Far more than the orders of any customer. A service that exceeds it sends pages in a loop. */
export const orderPageLimits: PageLimits = Object.freeze({ pages: 200, bytes: 256 * 1024 * 1024 })

/** Headers that only this app sets. A link cannot override them. */
const ownHeaders =
  /^(authorization|host|cookie|connection|keep-alive|te|trailer|upgrade|expect|transfer-encoding|content-.*|accept.*|proxy-.*|x-http-method.*|ms-requestid|ms-correlationid)$/i

/**
 * The request for the next page. The link is relative or absolute, with or without `/v1`, which the service began to
 * add in 2021 (github.com/microsoft/Partner-Center-PowerShell/issues/379). Its headers contain the continuation token.
 * A link to another host is rejected, because that host would receive our access token.
 */
export function toNextRequest(next: NextLink, baseUrl: string): PartnerRequest {
  const base = new URL(baseUrl)
  const prefix = base.pathname.replace(/\/$/, '')
  let url: URL
  try {
    const isAbsolute = /^([a-z][a-z\d+.-]*:|[\\/]{2})/i.test(next.uri)
    url = new URL(isAbsolute ? next.uri : `/${next.uri.replace(/^[\\/]+/, '')}`, base)
  } catch {
    throw invalidNextLink('is not a URL')
  }
  if (url.origin !== base.origin || url.username !== '' || url.password !== '')
    throw invalidNextLink('leads to another host')
  let path = url.pathname
  if (prefix !== '' && path.startsWith(`${prefix}/`)) path = path.slice(prefix.length)
  if (!/^\/v1\//i.test(path)) path = `/v1${path}`

  const headers: Record<string, string> = {}
  for (const { key, value } of next.headers ?? []) {
    if (!/^[\w!#$%&'*+.^`|~-]{1,100}$/.test(key) || !/^[\t\x20-\x7e]{0,16384}$/.test(value)) {
      throw invalidNextLink('has a malformed header')
    }
    if (!ownHeaders.test(key)) headers[key.toLowerCase()] = value
  }
  return { path: path + url.search, headers }
}

const invalidNextLink = (what: string): AppError =>
  new AppError(
    'partner_center_invalid_response',
    `Partner Center sent a link to the next page that ${what}. Try again. If it happens again, report the correlation id to the operator of the app.`,
  )

/** The failure for a list that is longer than any real list of Partner Center. */
export const tooMuch = ({ pages, bytes }: PageLimits = orderPageLimits): AppError =>
  new AppError(
    'partner_center_invalid_response',
    `Partner Center's list is longer than ${pages} pages or ${bytes / 1024 / 1024} MiB. Narrow the request, for example with billingType.`,
  )

type PagingOptions = {
  limits?: PageLimits
  endsBeyond?: boolean
  /** Called if an announced page does not exist. */
  onCutShort?: () => void
}

export type Page<T> = { value: T; next?: NextLink | null | undefined }

/**
 * Reads pages until there is no `links.next`. `parse` may throw a `SyntaxError` or a zod error for a body of the wrong
 * form. With `endsBeyond`, a 400 with code 2000 on a later page counts as the end of the list. The official tool treats
 * lists of customers the same way.
 */
export async function* readPages<T>(
  request: RequestPartnerCenter,
  baseUrl: string,
  first: PartnerRequest,
  parse: (body: Buffer) => Page<T>,
  operation: OperationContext,
  { limits = orderPageLimits, endsBeyond = false, onCutShort }: PagingOptions = {},
): AsyncGenerator<T> {
  let pages = 0
  let bytes = 0
  for (let following: PartnerRequest | undefined = first; following !== undefined; ) {
    if (++pages > limits.pages) throw tooMuch(limits)
    let body: Buffer
    try {
      body = (await request(following, operation)).body
    } catch (error) {
      if (!endsBeyond || pages === 1 || !isBeyondTheEnd(error)) throw error
      onCutShort?.()
      return
    }
    bytes += body.length
    if (bytes > limits.bytes) throw tooMuch(limits)
    const { value, next } = parseResponse(body, parse)
    yield value
    following = next == null ? undefined : toNextRequest(next, baseUrl)
  }
}

const isBeyondTheEnd = (error: unknown): boolean =>
  error instanceof AppError && error.options.upstream?.status === 400 && error.options.upstream.code === '2000'

/** Applies `parse`. A body that it rejects becomes `partner_center_invalid_response`. */
export function parseResponse<T>(body: Buffer, parse: (body: Buffer) => T): T {
  try {
    return parse(body)
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new AppError(
      'partner_center_invalid_response',
      'The response of Partner Center does not have the documented form. Try again. If it happens again, report the correlation id to the operator of the app.',
      { cause },
    )
  }
}
