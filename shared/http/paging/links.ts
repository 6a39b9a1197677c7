import type { HttpRequest } from '@azure/functions'

/** Hosts of the gateway that connectors call through (github.com/microsoft/PowerPlatformConnectors/issues/2959). */
const gatewayHosts = /\.azure-(apihub|apim)\.net$/

const loopbackHosts = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/**
 * What absolute links begin with. Behind a connector that is the gateway's own prefix, since a link to our host would
 * be called without the connection's credentials; it is taken from the request only if it names a gateway. Forwarded
 * hosts are never believed.
 */
function linkBase(request: HttpRequest): string {
  const prefix = URL.parse(request.headers.get('x-ms-apim-referrer-prefix') ?? '')
  const isGateway =
    prefix?.protocol === 'https:' &&
    gatewayHosts.test(prefix.hostname) &&
    prefix.username === '' &&
    prefix.password === '' &&
    prefix.port === ''
  if (isGateway) return prefix.origin + prefix.pathname.replace(/(?<!\/)\/+$/, '')
  return appAddress(request).origin
}

/** The address that the app was called on. Only on loopback is it without TLS, whatever a proxy in front of the app speaks. */
export function appAddress(request: HttpRequest): URL {
  const own = new URL(request.url)
  return new URL(loopbackHosts.test(own.hostname) ? own.origin : `https://${own.host}`)
}

/** An absolute link to a path of this app. */
export const linkTo = (request: HttpRequest, path: string): string => linkBase(request) + path

/** The link to the next page: the request's own filters, the new cursor, and never the key of the platform. */
export function nextLink(request: HttpRequest, cursor: string): string {
  const { pathname, searchParams } = new URL(request.url)
  const query = new URLSearchParams(
    [...searchParams].filter(([name, value]) => name !== 'code' && name !== 'cursor' && value !== ''),
  )
  query.set('cursor', cursor)
  return linkTo(request, `${pathname}?${query}`)
}
