import type { HttpResponseInit } from '@azure/functions'
import { AppError, errorKinds, isAppError } from '../errors.ts'
import { redact } from '../log.ts'

/** A bug of ours says nothing of itself to the outside; the log has it under the correlation id. */
export const toKnownError = (error: unknown): AppError =>
  isAppError(error)
    ? error
    : new AppError(
        'internal_error',
        'The app has failed. Give the correlation id to whoever runs it; the log holds the cause under that id.',
        { cause: error },
      )

/**
 * The one shape of every failure: RFC 9457 members for generic clients beside the `error` object that flows read,
 * sent as plain `application/json`, since connectors may hand on `application/problem+json` as base64.
 */
export function errorAnswer(error: AppError, path: string, correlationId: string): HttpResponseInit {
  const { code, status, options } = error
  const message = redact(error.message)
  const body = {
    type: `urn:partner-center-orders:error:${code}`,
    title: errorKinds[code].title,
    status,
    detail: message,
    instance: path,
    error: { code, message, target: options.target, details: options.details },
    correlationId,
    retryable: error.retryable,
  }
  const headers: Record<string, string> = { 'content-type': 'application/json', 'cache-control': 'private, no-store' }
  const retryAfter = options.retryAfterSeconds ?? (error.retryable ? 30 : undefined)
  if (retryAfter !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfter)))
  if (options.location !== undefined) headers.location = options.location
  return { status, headers, body: JSON.stringify(body) }
}
