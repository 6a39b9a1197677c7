import type { HttpResponseInit } from '@azure/functions'
import { AppError, errorKinds, isAppError } from '../../errors.ts'
import { redact } from '../../runtime/log.ts'

/** Callers get no details of a bug. The log has them under the correlation id. */
export const toKnownError = (error: unknown): AppError =>
  isAppError(error)
    ? error
    : new AppError(
        'internal_error',
        'The app failed. Report the correlation id to the operator of the app. The log contains the cause under this id.',
        { cause: error },
      )

/**
 * The response to every failure. It has the members of RFC 9457 for generic clients and the `error` object for flows.
 * The type is plain `application/json`, because connectors may pass on `application/problem+json` as base64.
 */
export function errorResponse(error: AppError, path: string, correlationId: string): HttpResponseInit {
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
