import type { IncomingHttpHeaders } from 'node:http'
import { Agent, type Dispatcher, interceptors } from 'undici'
import type { Deadline } from '../runtime/operation.ts'

/**
 * A fault below HTTP. `network` and `silent` (no response in time) can be retried. With `too-large` and `undecodable`,
 * the response arrived but cannot be used.
 */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly kind: 'network' | 'silent' | 'too-large' | 'undecodable'

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
 * Sends one request and reads the whole response. A response with an error status is returned even if its body cannot
 * be read. Rejects with a `TransportError`, or with the reason of the deadline's signal.
 */
export type Transport = (request: TransportRequest) => Promise<TransportResponse>

type TransportOptions = {
  /** The most sockets to one host. Further requests wait. */
  connections: number
  /** The longest body in bytes, before and after decompression. */
  maxBodyBytes?: number
}

/** The longest response to one call: the limit for all pages of a collection together. */
export const maxBodyBytes = 256 * 1024 * 1024

/** The longest error body that is read. No meaningful one is longer. */
const maxErrorBodyBytes = 64 * 1024

/**
 * The HTTP client for Partner Center and Entra ID: an undici Agent with keep-alive and a limited number of connections,
 * and undici's interceptors for DNS and decompression. Its interceptors `retry` and `deduplicate` are not used. The
 * first fails on a body that is cut off and limits `Retry-After` to its own maximum. The second has the request id in
 * its key and a limit of 5 MiB.
 */
export function createTransport({ connections, maxBodyBytes: maxBytes = maxBodyBytes }: TransportOptions): Transport {
  const dispatcher = new Agent({
    connections,
    // Partner Center is only known to support HTTP/1.1, where a connection carries one call at a time.
    allowH2: false,
    pipelining: 1,
    connect: { timeout: 10_000 },
    keepAliveTimeout: 60_000,
    maxResponseSize: maxBytes,
  }).compose(interceptors.dns(), interceptors.decompress({ skipErrorResponses: false, maxSize: maxBytes }))

  return async ({ method, url, headers, body, deadline: { signal, silenceMs } }) => {
    try {
      return await receive(dispatcher, signal, {
        method,
        origin: url.origin,
        path: url.pathname + url.search,
        headers: { 'accept-encoding': 'gzip, deflate', ...headers },
        body: body ?? null,
        headersTimeout: silenceMs,
        bodyTimeout: silenceMs,
      })
    } catch (error) {
      throw signal.aborted ? signal.reason : toTransportError(error, url)
    }
  }
}

type DispatchOptions = Dispatcher.DispatchOptions & { bodyTimeout: number }

/**
 * Sends one request and collects its response. The `request` of undici returns the body as a stream, which takes a
 * fifth of the time of a small response. A large response is then in memory twice while its chunks are joined.
 */
function receive(dispatcher: Dispatcher, signal: AbortSignal, options: DispatchOptions): Promise<TransportResponse> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined
    let status = 0
    let headers: IncomingHttpHeaders = {}
    let body: Body | undefined
    let timer: NodeJS.Timeout | undefined

    const leave = () => {
      fail(signal.reason)
      controller?.abort(signal.reason)
    }
    const settle = () => {
      signal.removeEventListener('abort', leave)
      clearTimeout(timer)
    }
    const succeed = (bytes: Buffer) => {
      settle()
      resolve({ status, headers: flatten(headers), body: bytes })
    }
    /** An error status is meaningful without its whole body. The part before the interruption is used. */
    const fail = (error: unknown) => {
      if (status >= 400 && body !== undefined) return succeed(body.take().subarray(0, maxErrorBodyBytes))
      settle()
      reject(error)
    }

    signal.addEventListener('abort', leave, { once: true })
    dispatcher.dispatch(options, {
      onRequestStart(given) {
        controller = given
        if (signal.aborted) given.abort(signal.reason)
      },
      onResponseStart(given, statusCode, received) {
        if (statusCode < 200) return
        status = statusCode
        headers = received
        body = createBody(Number(received['content-length']))
        if (status >= 400) {
          timer = setTimeout(() => given.abort(new Error('The body took too long')), options.bodyTimeout)
        }
      },
      onResponseData(given, chunk) {
        body?.add(chunk)
        if (status >= 400 && body !== undefined && body.length() >= maxErrorBodyBytes) {
          given.abort(new Error('The rest of the body is of no use'))
        }
      },
      onResponseEnd: () => succeed(body?.take() ?? Buffer.alloc(0)),
      onResponseError: (_, error) => fail(error),
    })
  })
}

type Body = { add: (chunk: Buffer) => void; length: () => number; take: () => Buffer }

/** The largest buffer that is allocated from the announced length alone. */
const mostAllocatedBytes = 64 * 1024 * 1024

/** The bytes of a body, in one buffer from the start if the length is known. */
function createBody(expected: number): Body {
  const whole = expected > 0 && expected <= mostAllocatedBytes ? Buffer.allocUnsafeSlow(expected) : undefined
  const chunks: Buffer[] = []
  let length = 0
  return {
    add(chunk) {
      // The parser rejects more bytes than the announced length.
      if (whole === undefined) chunks.push(chunk)
      else chunk.copy(whole, length)
      length += chunk.length
    },
    length: () => length,
    take: () => whole?.subarray(0, length) ?? Buffer.concat(chunks),
  }
}

function flatten(headers: IncomingHttpHeaders): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  )
}

function toTransportError(error: unknown, url: URL): TransportError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
    return new TransportError('too-large', `The answer of ${url.host} is larger than allowed`, error)
  }
  // zlib, brotli and zstd use different names for their errors.
  if (/^(Z_|ERR_ZLIB|ERR__ERROR|ZSTD_)/.test(code)) {
    return new TransportError('undecodable', `The answer of ${url.host} cannot be decompressed`, error)
  }
  const isSilent = code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT'
  return new TransportError(
    isSilent ? 'silent' : 'network',
    `${url.host} cannot be reached or broke off (${code || 'network'})`,
    error,
  )
}
