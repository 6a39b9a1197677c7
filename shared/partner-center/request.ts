import { randomUUID } from 'node:crypto'
import { AppError } from '../errors.ts'
import { guidPattern } from '../formats/guid.ts'
import type { Clock } from '../runtime/clock.ts'
import type { OperationContext } from '../runtime/operation.ts'
import { isRetriedStatus, parseRetryAfter, type Try, withRetries } from './retry.ts'
import { type Transport, TransportError, type TransportResponse } from './transport.ts'
import { type Resource, toAppError } from './upstream-errors.ts'

/** Access tokens for Partner Center. */
export type TokenSource = {
  /** A token that is valid for at least another half minute. */
  get: (operation: OperationContext) => Promise<string>
  /** A newer token than `rejected`, for which Partner Center returned 401. */
  renew: (rejected: string, operation: OperationContext) => Promise<string>
}

export type PartnerRequest = {
  /** The path and query after the base URL, with `/v1`, such as `/v1/customers?size=500`. */
  path: string
  headers?: Record<string, string>
  resource?: Resource
}

/**
 * Reads one resource from Partner Center. Retries if a retry can help, but not past the deadline. Rejects with an
 * `AppError`.
 */
export type RequestPartnerCenter = (request: PartnerRequest, operation: OperationContext) => Promise<TransportResponse>

export type RequestOptions = {
  transport: Transport
  tokens: TokenSource
  baseUrl: string
  clock: Clock
  /** Waits before each try until the rate limiter allows a request. */
  pace?: (operation: OperationContext) => Promise<void>
  extraHeaders?: Record<string, string>
  /** Called with the headers of every response. */
  onResponse?: (headers: TransportResponse['headers']) => void
}

/** The most addresses to remember that answer 401 to every token. */
const mostRefused = 1000

export function createRequest(options: RequestOptions): RequestPartnerCenter {
  const { transport, tokens, baseUrl, clock, pace, extraHeaders, onResponse } = options

  // For each address, the token that it refused right after a renewal. The token is not the cause then, and another
  // renewal at each call for that customer would only cost requests.
  const refused = new Map<string, string>()
  const noteRefused = (pathname: string, token: string) => {
    if (refused.size >= mostRefused) refused.clear()
    refused.set(pathname, token)
  }

  return async ({ path, headers, resource = 'collection' }, operation) => {
    const url = new URL(baseUrl + path)
    // All tries of a call have the same request id, so that the service can recognize a retry. The correlation id is the
    // caller's (learn.microsoft.com/partner-center/developer/headers).
    const callHeaders = {
      accept: 'application/json',
      'ms-requestid': randomUUID(),
      'ms-correlationid': guidPattern.test(operation.correlationId) ? operation.correlationId : randomUUID(),
      'x-locale': 'en-US',
      'ms-partnercenter-application': 'partner-center-orders',
      ...extraHeaders,
      ...headers,
    }
    const send = async (token: string): Promise<TransportResponse> => {
      await pace?.(operation)
      const sent = { ...callHeaders, authorization: `Bearer ${token}` }
      const response = await transport({ method: 'GET', url, headers: sent, deadline: operation.deadline })
      onResponse?.(response.headers)
      return response
    }

    let token = await tokens.get(operation)
    let renewed = false
    const attempt = async (): Promise<Try<TransportResponse>> => {
      try {
        let response = await send(token)
        if (response.status === 401 && !renewed && refused.get(url.pathname) !== token) {
          renewed = true
          token = await tokens.renew(token, operation)
          response = await send(token)
          if (response.status === 401) noteRefused(url.pathname, token)
        }
        if (response.status >= 200 && response.status < 300) return { value: response }
        const failure = toAppError(response, resource, clock.now())
        if (!isRetriedStatus(response.status)) throw failure
        return { failure, retryAfterMs: parseRetryAfter(response.headers['retry-after'], clock.now()) }
      } catch (error) {
        if (!(error instanceof TransportError)) throw error
        if (error.kind === 'silent') return { failure: unreachable(error), outOfTime: tooSlow(error) }
        if (error.kind !== 'network') throw unusable(error)
        return { failure: unreachable(error) }
      }
    }
    return withRetries(attempt, url.pathname, operation, clock)
  }
}

const unreachable = (cause: TransportError): AppError =>
  new AppError(
    'partner_center_unavailable',
    'Partner Center cannot be reached, or its response was cut off. Try again in 30 seconds.',
    { retryAfterSeconds: 30, cause },
  )

const tooSlow = (cause: TransportError): AppError =>
  new AppError(
    'deadline_exceeded',
    'Partner Center did not respond in the time that the request has. Try again. If it happens again, request less data or take a snapshot.',
    { retryAfterSeconds: 30, cause },
  )

const unusable = (cause: TransportError): AppError =>
  new AppError(
    'partner_center_invalid_response',
    cause.kind === 'too-large'
      ? 'The response of Partner Center is larger than this app accepts. Narrow the request, for example with billingType.'
      : 'The response of Partner Center cannot be decompressed. Try again later.',
    { cause },
  )
