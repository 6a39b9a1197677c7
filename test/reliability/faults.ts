import { gzipSync } from 'node:zlib'
import type { Exchange, PassedOn, WireFault } from '../support/faulty-server.ts'

const json = { 'content-type': 'application/json; charset=utf-8' }
const html = { 'content-type': 'text/html; charset=utf-8' }
const page = '<!doctype html><html><h1>Something went wrong</h1></html>'

const reset = ({ socket }: Exchange): void => void socket.resetAndDestroy()

const respond =
  (status: number, headers: Record<string, string>, body: string | Buffer) =>
  ({ outgoing }: Exchange): void =>
    void outgoing.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body)

/** Announces a body of 5,000 bytes and sends its first. */
const begin = ({ outgoing }: Exchange, then: () => void = () => undefined): void =>
  void outgoing.writeHead(200, { ...json, 'content-length': 5000 }).write('{"value":"', () => then())

/** Goes wrong with the first request only. */
const once =
  (fault: (exchange: Exchange) => void): WireFault =>
  exchange =>
    exchange.count === 1 ? fault(exchange) : exchange.pass()

const change =
  (how: (response: PassedOn) => PassedOn): WireFault =>
  ({ pass }) =>
    pass(how)

const mebibyte = 1024 * 1024
/** More than the app takes of any response. */
const hugeMebibytes = 300
/** What a small body becomes when it is decompressed. */
const explodedMebibytes = 1024

function sendHuge({ outgoing }: Exchange): void {
  outgoing.on('error', () => undefined)
  outgoing.writeHead(200, { ...json, 'content-length': hugeMebibytes * mebibyte })
  const spaces = Buffer.alloc(mebibyte, ' ')
  let left = hugeMebibytes
  const send = () => {
    while (left > 0 && !outgoing.destroyed) {
      left--
      if (!outgoing.write(spaces)) return outgoing.once('drain', send)
    }
    return outgoing.end()
  }
  send()
}

let bomb: Buffer | undefined
function explode(exchange: Exchange): void {
  bomb ??= Buffer.concat(Array(explodedMebibytes / 16).fill(gzipSync(Buffer.alloc(16 * mebibyte, ' '))))
  exchange.outgoing.on('error', () => undefined)
  respond(200, { ...json, 'content-encoding': 'gzip' }, bomb)(exchange)
}

const dayMs = 86_400_000
const dayBefore = (text: string): string => new Date(Date.parse(text) - dayMs).toUTCString()

/** The service's clock is a day behind: in its headers, and in the times of a token that it counts from 1970. */
function shiftClock({ status, headers, body }: PassedOn): PassedOn {
  const shifted = Object.fromEntries(
    Object.entries(headers).map(([name, value]) =>
      /^(date|last-modified)$/.test(name) ? [name, dayBefore(String(value))] : [name, value],
    ),
  )
  const text = body.toString('latin1')
  const isToken = text.includes('"expires_on"')
  const later = (_: string, seconds: string) => `"expires_on":"${Number(seconds) - dayMs / 1000}"`
  return {
    status,
    headers: shifted,
    body: isToken ? Buffer.from(text.replace(/"expires_on":"(\d+)"/, later), 'latin1') : body,
  }
}

/** Every fault of the matrix, with its name in docs/reliability.md. */
export const faults = {
  'connection refused': 'refused',
  'reset before the headers': reset,
  'reset in the body': exchange => begin(exchange, () => reset(exchange)),
  'reset once': once(reset),
  silent: () => undefined,
  'silent once': once(() => undefined),
  'silent in the body': exchange => begin(exchange),
  'dripping, a byte at a time': exchange => {
    begin(exchange)
    const drip = setInterval(() => exchange.outgoing.write(' '), 100)
    exchange.outgoing.on('close', () => clearInterval(drip))
  },
  'cut in the body': exchange => begin(exchange, () => exchange.socket.destroy()),
  'status 400': respond(400, html, page),
  'status 401': respond(401, html, page),
  'status 403': respond(403, html, page),
  'status 404': respond(404, html, page),
  'status 500': respond(500, html, page),
  'status 503': respond(503, html, page),
  'status 503 once': once(respond(503, html, page)),
  'status 429': respond(429, html, page),
  'status 429, Retry-After 60': respond(429, { ...html, 'retry-after': '60' }, page),
  'status 429 once, Retry-After 1': once(respond(429, { ...html, 'retry-after': '1' }, page)),
  'not HTTP': ({ socket }) => void socket.end('SSH-2.0-OpenSSH_9.6\r\n'),
  'garbage for a body': respond(200, json, Buffer.from('\u0000\u0001\u00fe\u00ff{]"', 'latin1')),
  'HTML for a body': respond(200, html, page),
  'JSON of another form': respond(200, json, '{"hello":"world"}'),
  'gzip that is none': respond(200, { ...json, 'content-encoding': 'gzip' }, '{"hello":"world"}'),
  'UTF-16': change(response => ({
    ...response,
    body: Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(response.body.toString('utf8'), 'utf16le')]),
  })),
  'byte-order mark': change(response => ({
    ...response,
    body: response.body.length === 0 ? response.body : Buffer.concat([Buffer.from('\uFEFF'), response.body]),
  })),
  huge: sendHuge,
  exploding: explode,
  'clock a day behind': change(shiftClock),
} as const satisfies Record<string, WireFault>

export type FaultName = keyof typeof faults
