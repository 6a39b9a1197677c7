import { gzipSync } from 'node:zlib'
import { type Exchange, sendJson } from './recorder.ts'

/** Replaces the response for one customer's orders. `proceed` sends the usual one. */
export type Fault = (exchange: Exchange, proceed: () => void) => void

export const refuse =
  (status: number, code: string, description: string, headers?: Record<string, string>): Fault =>
  ({ response }) =>
    void sendJson(response, status, { code, description, data: [], source: 'PartnerFD' }, headers)

/** Applies `fault` to the first `times` requests. */
export function firstTimes(times: number, fault: Fault): Fault {
  let left = times
  return (exchange, proceed) => {
    if (left-- > 0) fault(exchange, proceed)
    else proceed()
  }
}

export const throttle =
  (seconds: number): Fault =>
  ({ response }) =>
    void sendJson(
      response,
      429,
      { statusCode: 429, message: 'Rate limit is exceeded.' },
      { 'retry-after': String(seconds) },
    )

export const sendText =
  (status: number, contentType: string, text: string): Fault =>
  ({ response }) =>
    void response.writeHead(status, { 'content-type': contentType }).end(text)

export const hang: Fault = () => undefined

export const reset: Fault = ({ response }) => void response.socket?.destroy()

/** Announces a body and closes the connection in the middle of it. */
const breakOff: Fault = ({ response }) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': 5000 })
  response.write('{"totalCount":1,"items":[', () => response.socket?.destroy())
}

const emptyCollection = '{"totalCount":0,"items":[],"attributes":{"objectType":"Collection"}}'

export const compressed =
  (text = emptyCollection): Fault =>
  ({ response }) =>
    void response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(gzipSync(text))

/** The customer id of a failure case. Its last digits are the code or status of the response. */
export const caseId = (digits: number): string => `00000000-0000-4000-8000-${String(digits).padStart(12, '0')}`

export type FailureCase = {
  digits: number
  what: string
  fault: Fault
  /** A refusal of the credential, which stops a snapshot at once. */
  stopsSnapshots?: true
}

/** Created for each simulator, because some cases count their requests. */
export const failureCases = (): FailureCase[] => [
  { digits: 20002, what: 'no reseller relationship', fault: refuse(403, '20002', 'No relationship.') },
  { digits: 60003, what: 'customer tenant unknown', fault: refuse(404, '60003', 'Tenant not found.') },
  { digits: 1000, what: 'resource missing', fault: refuse(404, '1000', 'Not found.') },
  { digits: 900308, what: 'role insufficient', fault: refuse(403, '900308', 'Privileges insufficient.') },
  { digits: 403, what: '403 without a body', fault: sendText(403, 'text/plain', '') },
  { digits: 900421, stopsSnapshots: true, what: 'token lacks MFA', fault: refuse(401, '900421', 'MFA required.') },
  {
    digits: 10001,
    stopsSnapshots: true,
    what: 'token lacks MFA, old form',
    fault: sendText(401, 'text/plain', 'Authentication failed. MFA required. (10001)'),
  },
  {
    digits: 900420,
    stopsSnapshots: true,
    what: 'token for a retired audience',
    fault: refuse(401, '900420', 'Wrong audience.'),
  },
  { digits: 401, what: 'token refused', fault: refuse(401, '800001', 'Token missing.') },
  { digits: 900118, what: 'customer id refused', fault: refuse(400, '900118', 'Invalid customer.') },
  { digits: 429, what: 'throttled for an hour', fault: throttle(3600) },
  { digits: 4291, what: 'throttled once, for a second', fault: firstTimes(1, throttle(1)) },
  { digits: 500, what: 'service fault', fault: refuse(500, '800003', 'Unexpected.') },
  { digits: 503, what: 'unavailable', fault: sendText(503, 'text/html', '<html><h1>Service Unavailable</h1></html>') },
  {
    digits: 5032,
    what: 'unavailable twice, then well',
    fault: firstTimes(2, sendText(503, 'text/html', '<html></html>')),
  },
  { digits: 504, what: 'never responds', fault: hang },
  { digits: 101, what: 'connection reset', fault: reset },
  { digits: 102, what: 'connection lost inside the body', fault: breakOff },
  { digits: 103, what: 'connection lost inside the body once', fault: firstTimes(1, breakOff) },
  { digits: 2001, what: 'HTML instead of JSON', fault: sendText(200, 'text/html', '<html>hello</html>') },
  { digits: 2002, what: 'JSON that is no collection', fault: sendText(200, 'application/json', '{"hello":"world"}') },
  { digits: 2003, what: 'byte-order mark', fault: sendText(200, 'application/json', `\uFEFF${emptyCollection}`) },
  { digits: 2004, what: 'gzip', fault: compressed() },
  {
    digits: 2005,
    what: 'next page on another host',
    fault: sendText(
      200,
      'application/json',
      '{"items":[],"links":{"next":{"uri":"https://evil.example/v1/customers"}}}',
    ),
  },
]
