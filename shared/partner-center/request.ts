import { randomUUID } from 'node:crypto'
import type { Call } from '../call.ts'
import type { Clock } from '../clock.ts'
import { AppError } from '../errors.ts'
import { isRetriedStatus, parseRetryAfter, type Try, withRetries } from './retry.ts'
import { type Transport, TransportError, type TransportResponse } from './transport.ts'
import { type Resource, toAppError } from './upstream-errors.ts'

/** Access tokens for Partner Center. */
export type TokenSource = {
  /** A token that is valid for a while yet. */
  get: (call: Call) => Promise<string>
  /** A newer token than `rejected`, which Partner Center answered with 401. */
  renew: (rejected: string, call: Call) => Promise<string>
}

export type PartnerRequest = {
  /** Below the base URL with `/v1`, such as `/v1/customers?size=500`. */
  path: string
  headers?: Record<string, string>
  resource?: Resource
}

/** One read from Partner Center: repeated when that can help, never past the call's deadline. Rejects with an `AppError`. */
export type RequestPartnerCenter = (request: PartnerRequest, call: Call) => Promise<TransportResponse>

export type RequestOptions = {
  transport: Transport
  tokens: TokenSource
  baseUrl: string
  clock: Clock
  /** Waits for a place in the shared pace before each try. */
  pace?: (call: Call) => Promise<void>
  extraHeaders?: Record<string, string>
  /** Called with the headers of every answer. */
  onAnswer?: (headers: TransportResponse['headers']) => void
}

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Addresses that are remembered to answer 401 whatever the token. */
const mostRefused = 1000

export function createRequest(options: RequestOptions): RequestPartnerCenter {
  const { transport, tokens, baseUrl, clock, pace, extraHeaders, onAnswer } = options

  // The token with which an address was refused although it had just been renewed: it is not the token's fault, and
  // renewing it at each call for one customer would only cost requests.
  const refused = new Map<string, string>()
  const noteRefused = (pathname: string, token: string) => {
    if (refused.size >= mostRefused) refused.clear()
    refused.set(pathname, token)
  }

  return async ({ path, headers, resource = 'collection' }, call) => {
    const url = new URL(baseUrl + path)
    // One id for all tries of a call, so that the service can recognise a repeat; the correlation id is the caller's
    // (learn.microsoft.com/partner-center/developer/headers).
    const callHeaders = {
      accept: 'application/json',
      'ms-requestid': randomUUID(),
      'ms-correlationid': guid.test(call.correlationId) ? call.correlationId : randomUUID(),
      'x-locale': 'en-US',
      'ms-partnercenter-application': 'partner-center-orders',
      ...extraHeaders,
      ...headers,
    }
    const send = async (token: string): Promise<TransportResponse> => {
      await pace?.(call)
      const sent = { ...callHeaders, authorization: `Bearer ${token}` }
      const response = await transport({ method: 'GET', url, headers: sent, deadline: call.deadline })
      onAnswer?.(response.headers)
      return response
    }

    let token = await tokens.get(call)
    let renewed = false
    const attempt = async (): Promise<Try<TransportResponse>> => {
      try {
        let response = await send(token)
        if (response.status === 401 && !renewed && refused.get(url.pathname) !== token) {
          renewed = true
          token = await tokens.renew(token, call)
          response = await send(token)
          if (response.status === 401) noteRefused(url.pathname, token)
        }
        if (response.status >= 200 && response.status < 300) return { value: response }
        const failure = toAppError(response, resource, clock.now())
        if (!isRetriedStatus(response.status)) throw failure
        return { failure, retryAfterMs: parseRetryAfter(response.headers['retry-after'], clock.now()) }
      } catch (error) {
        if (!(error instanceof TransportError)) throw error
        if (error.kind !== 'network') throw unusable(error)
        return { failure: unreachable(error) }
      }
    }
    return withRetries(attempt, url.pathname, call, clock)
  }
}

const unreachable = (cause: TransportError): AppError =>
  new AppError(
    'partner_center_unavailable',
    'Partner Center cannot be reached or broke off its response. Try again in 30 seconds.',
    { retryAfterSeconds: 30, cause },
  )

const unusable = (cause: TransportError): AppError =>
  new AppError(
    'partner_center_invalid_response',
    cause.kind === 'too-large'
      ? 'The answer of Partner Center is larger than this app accepts. Narrow the request, for instance by billingType.'
      : 'The answer of Partner Center cannot be decompressed. Try again later.',
    { cause },
  )
