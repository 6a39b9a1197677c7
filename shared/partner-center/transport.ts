import { Agent, type Dispatcher, interceptors } from 'undici'
import type { Deadline } from '../call.ts'

/** A fault below HTTP. `network`: worth another try. `too-large`, `undecodable`: the answer came and is of no use. */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly kind: 'network' | 'too-large' | 'undecodable'

  constructor(kind: TransportError['kind'], message: string, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
  }
}

export type TransportRequest = {
  method: 'GET' | 'POST'
  url: URL
  headers: Record<string, string>
  body?: string
  deadline: Pick<Deadline, 'signal' | 'silenceMs'>
}

export type TransportResponse = { status: number; headers: Record<string, string | undefined>; body: Buffer }

/**
 * Sends one request and reads its whole response. A response with an error status is returned even if its body cannot be
 * read. Rejects with a `TransportError`, or with the reason of the deadline's signal.
 */
export type Transport = (request: TransportRequest) => Promise<TransportResponse>

export type TransportOptions = {
  /** Sockets to one host at a time; further requests wait for one. */
  connections: number
  /** Longest body in bytes, before and after decompression. */
  maxBodyBytes?: number
}

/** Longest response to one call: as much as all pages of a collection may have together. */
export const maxBodyBytes = 256 * 1024 * 1024

/** No error body that has a meaning is longer than this. */
const maxErrorBodyBytes = 64 * 1024

/**
 * The one place that talks HTTP to Partner Center and Entra ID: an undici Agent with keep-alive, a bounded number of
 * connections, and undici's own interceptors for DNS and decompression. Its `retry` and `deduplicate` interceptors
 * are not used: the first gives up on a body cut midway and caps `Retry-After` at its own maximum, the second has the
 * request id in its key and stops at 5 MiB.
 */
export function createTransport({ connections, maxBodyBytes: maxBytes = maxBodyBytes }: TransportOptions): Transport {
  const dispatcher = new Agent({
    connections,
    // Partner Center is only known to speak HTTP/1.1, where a connection carries one call at a time.
    allowH2: false,
    pipelining: 1,
    connect: { timeout: 10_000 },
    keepAliveTimeout: 60_000,
    maxResponseSize: maxBytes,
  }).compose(interceptors.dns(), interceptors.decompress({ skipErrorResponses: false, maxSize: maxBytes }))

  return async ({ method, url, headers, body, deadline: { signal, silenceMs } }) => {
    try {
      const response = await dispatcher.request({
        method,
        origin: url.origin,
        path: url.pathname + url.search,
        headers: { 'accept-encoding': 'gzip, deflate', ...headers },
        body: body ?? null,
        signal,
        headersTimeout: silenceMs,
        bodyTimeout: silenceMs,
      })
      const isError = response.statusCode >= 400
      return {
        status: response.statusCode,
        headers: flatten(response.headers),
        body: isError ? await readErrorBody(response.body, silenceMs) : toBuffer(await response.body.bytes()),
      }
    } catch (error) {
      throw signal.aborted ? signal.reason : toTransportError(error, url)
    }
  }
}

const toBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, byteLength)

/** What can be read of an error's body within `ms`: its status and headers say enough without it. */
async function readErrorBody(body: Dispatcher.ResponseData['body'], ms: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  const timer = setTimeout(() => body.destroy(), ms)
  try {
    for await (const chunk of body) {
      chunks.push(chunk as Buffer)
      bytes += (chunk as Buffer).length
      if (bytes >= maxErrorBodyBytes) break
    }
  } catch {
    // Cut off, silent or not to be decompressed: what came before counts.
  } finally {
    clearTimeout(timer)
  }
  return Buffer.concat(chunks).subarray(0, maxErrorBodyBytes)
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  )
}

function toTransportError(error: unknown, url: URL): TransportError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
    return new TransportError('too-large', `The answer of ${url.host} is larger than allowed`, error)
  }
  // zlib, brotli and zstd each name their faults in their own way.
  if (/^(Z_|ERR_ZLIB|ERR__ERROR|ZSTD_)/.test(code)) {
    return new TransportError('undecodable', `The answer of ${url.host} cannot be decompressed`, error)
  }
  return new TransportError('network', `${url.host} cannot be reached or broke off (${code || 'network'})`, error)
}
