import type { HttpRequest } from '@azure/functions'
import { isLoopback } from '../../formats/loopback.ts'

/** Hosts of the gateway that connectors call through (github.com/microsoft/PowerPlatformConnectors/issues/2959). */
const gatewayHosts = /\.azure-(apihub|apim)\.net$/

/**
 * The start of absolute links. Behind a connector, it is the prefix of the gateway, because a link to this app's host
 * would be called without the credentials of the connection. The prefix is used only if it names a gateway. Headers
 * with forwarded hosts are ignored.
 */
function linkBase(request: HttpRequest): string {
  const prefix = URL.parse(request.headers.get('x-ms-apim-referrer-prefix') ?? '')
  const isGateway =
    prefix?.protocol === 'https:' &&
    gatewayHosts.test(prefix.hostname) &&
    prefix.username === '' &&
    prefix.password === '' &&
    prefix.port === ''
  if (isGateway) return prefix.origin + prefix.pathname.replace(/\/+$/, '')
  return appAddress(request).origin
}

/**
 * The address that the app was called on. It uses https except on loopback, whatever protocol a proxy in front of the
 * app uses.
 */
export function appAddress(request: HttpRequest): URL {
  const own = new URL(request.url)
  return new URL(isLoopback(own.hostname) ? own.origin : `https://${own.host}`)
}

/** An absolute link to a path of this app. */
export const linkTo = (request: HttpRequest, path: string): string => linkBase(request) + path

/** The link to the next page: the filters of the request and the new cursor, without the function key. */
export function nextLink(request: HttpRequest, cursor: string): string {
  const { pathname, searchParams } = new URL(request.url)
  const query = new URLSearchParams(
    [...searchParams].filter(([name, value]) => name !== 'code' && name !== 'cursor' && value !== ''),
  )
  query.set('cursor', cursor)
  return linkTo(request, `${pathname}?${query}`)
}
