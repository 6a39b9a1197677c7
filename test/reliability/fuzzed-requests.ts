import { documentedCustomerId, seededRandom } from '../../local/simulator/sample-data.ts'

export type FuzzedRequest = {
  method: string
  path: string
  headers: Record<string, string>
  body: Buffer | undefined
  chunked: boolean
}

const strangeTexts = [
  '',
  ' ',
  '%',
  '%00',
  '%2f',
  '%2e%2e',
  '%ff%fe',
  '%c0%af',
  '%F0%9F%92%A9',
  '..',
  '.',
  '~',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'undefined',
  'NaN',
  '-1',
  '1e9',
  '0x10',
  '99999999999999999999',
  "'",
  '"><script>',
  '{{7*7}}',
  'a'.repeat(300),
  'latest',
  '2026-11-20',
  '2026-13-45T99:99:99Z',
  '2026-11-20T00:00:00+99:99',
  '0001-01-01',
  '20261120T002000Z',
  documentedCustomerId,
  documentedCustomerId.toUpperCase(),
  `${documentedCustomerId} `,
  'true',
  'TRUE',
  'monthly',
  'csv',
  'eyJhIjoxfQ.AAAA',
] as const

const names = [
  'billingType',
  'includePrice',
  'includeSystemPurchases',
  'status',
  'createdFrom',
  'createdTo',
  'asOf',
  'allowStale',
  'top',
  'cursor',
  'format',
  'search',
  'expand',
  'customerTenantId',
  'kind',
  'customerTenantIds',
  'failedOf',
  'code',
  'clientId',
  'constructor',
  'a[b]',
] as const

const routes = [
  'customers/{}/orders',
  'customers/{}/orders/{}',
  'customers/{}/order-lines',
  'customers',
  'order-changes',
  'order-lines',
  'snapshots',
  'snapshots/{}',
  'snapshots/{}/report',
  'snapshots/{}/cancel',
  'health',
  'health/details',
  'openapi.json',
  '{}',
  '{}/{}/{}',
] as const

const headerNames = [
  'accept',
  'accept-encoding',
  'content-type',
  'content-encoding',
  'if-none-match',
  'prefer',
  'range',
  'traceparent',
  'x-correlation-id',
  'x-ms-client-tracking-id',
  'x-ms-correlation-id',
  'x-ms-client-request-id',
  'x-ms-workflow-run-id',
  'x-ms-apim-referrer-prefix',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-functions-key',
  'x-http-method-override',
] as const

const headerValues = [
  '*',
  'application/json',
  'text/csv; charset=utf-16',
  'gzip',
  'https://evil.example/',
  'https://a.azure-apihub.net/apim/x/y',
  'http://[::1',
  '"etag", W/"other"',
  '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  '00-zz-zz-zz',
  'bytes=0-0',
  'a'.repeat(129),
  'x'.repeat(4000),
  '\u00e9\u00ff',
  '$(id)',
] as const

/** Requests that nobody sane sends, mixed with good ones. The same seed gives the same requests. */
export function createFuzz(seed: string): () => FuzzedRequest {
  const random = seededRandom(seed)
  const chance = (share: number): boolean => random() < share
  const below = (count: number): number => Math.floor(random() * count)
  const pick = <T>(values: readonly T[]): T => values[below(values.length)] as T
  const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => below(256)))
  const anyText = (): string => (chance(0.8) ? pick(strangeTexts) : bytes(below(20)).toString('latin1'))
  const inUrl = (text: string): string =>
    chance(0.5) ? encodeURIComponent(text) : encodeURI(text).replaceAll('%25', '%')
  const part = (): string => (chance(0.5) ? documentedCustomerId : inUrl(anyText()))

  const json = (depth: number): unknown => {
    const kind = below(depth > 4 ? 4 : 7)
    if (kind === 0) return anyText()
    if (kind === 1) return pick([0, -1, 1e308, 1e-7, 5, 1000, 1001])
    if (kind === 2) return chance(0.5)
    if (kind === 3) return null
    if (kind < 6) return Array.from({ length: below(4) }, () => json(depth + 1))
    return Object.fromEntries(Array.from({ length: below(5) }, () => [pick(names), json(depth + 1)]))
  }

  const body = (): Buffer => {
    const object = () =>
      JSON.stringify(Object.fromEntries(Array.from({ length: below(4) }, () => [pick(names), json(0)])))
    const makers: (() => string | Buffer)[] = [
      object,
      object,
      () => JSON.stringify(json(0)),
      () => `\uFEFF${object()}`,
      () => object().slice(0, -1),
      () => '['.repeat(below(20_000)),
      () => `{"a":${'{"a":'.repeat(below(3000))}`,
      () => `{"top":${'9'.repeat(below(5000))}}`,
      () => `{"__proto__":{"top":1},"constructor":1}`,
      () => `{"a":1,"a":2}`,
      () => bytes(below(2000)),
      () => Buffer.from(object(), 'utf16le'),
      () => ' '.repeat(64 * 1024 + below(3) - 1),
    ]
    return Buffer.from(pick(makers)())
  }

  return () => {
    const route = pick(routes).replaceAll('{}', part)
    const query = Array.from({ length: chance(0.6) ? below(5) : 0 }, () => `${inUrl(pick(names))}=${inUrl(anyText())}`)
    const path = `/${chance(0.97) ? 'api/' : ''}${route}${query.length === 0 ? '' : `?${query.join('&')}`}`
    const method = chance(0.75)
      ? pick(['GET', 'GET', 'GET', 'POST'])
      : pick(['HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'QUERY'])
    const headers = Object.fromEntries(
      Array.from({ length: below(4) }, () => [
        pick(headerNames),
        chance(0.8) ? pick(headerValues) : pick(strangeTexts),
      ]),
    )
    const hasBody = method !== 'HEAD' && chance(method === 'POST' ? 0.7 : 0.1)
    return { method, path, headers, body: hasBody ? body() : undefined, chunked: chance(0.1) }
  }
}
