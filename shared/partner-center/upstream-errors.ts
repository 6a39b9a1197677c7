import { z } from 'zod'
import { AppError, type AppErrorOptions, type ErrorCode } from '../errors.ts'
import { parseJson } from '../formats/json.ts'
import { parseRetryAfter } from './retry.ts'
import type { TransportResponse } from './transport.ts'

/** The resource that a call requests. The same status has a different meaning for each. */
export type Resource = 'order' | 'collection'

/**
 * Partner Center sends these error bodies: `{code, description}` with the code as text or number, `{code, message}`,
 * `{statusCode, message}` when it throttles, and the token endpoint's `{error, error_description}`. Any other body
 * (empty, plain text, HTML) counts as a body without a code.
 */
const errorBodySchema = z.looseObject({
  // Callers see the code. Text that does not have the form of a code is ignored.
  code: z
    .union([z.string().regex(/^[\w.-]{1,64}$/), z.number()])
    .optional()
    .catch(undefined),
  description: z.string().optional().catch(undefined),
  message: z.string().optional().catch(undefined),
  error_description: z.string().optional().catch(undefined),
})

type UpstreamError = {
  status: number
  /** Partner Center's error code as text. Its meaning depends on the status. */
  code: string | undefined
  text: string
  requestId: string | undefined
}

export function readUpstreamError({ status, headers, body }: TransportResponse): UpstreamError {
  const text = body
    .subarray(0, 65_536)
    .toString('utf8')
    .replace(/^\uFEFF/, '')
  const requestId = headers['ms-requestid']
  const parsed = errorBodySchema.safeParse(parseJson(text))
  if (!parsed.success) {
    // «Authentication failed. MFA required. (10001)» was reported as plain text
    // (github.com/microsoft/Partner-Center-DotNet-Samples/issues/59).
    return { status, code: /MFA required.*\((\d+)\)/i.exec(text)?.[1], text: text.slice(0, 500), requestId }
  }
  const { code, description, message, error_description } = parsed.data
  return {
    status,
    code: code === undefined ? undefined : String(code),
    text: (description ?? message ?? error_description ?? '').slice(0, 1024),
    requestId,
  }
}

type Rule = { status: number; codes?: readonly string[]; resource?: Resource; as: ErrorCode; message: string }

const rules: readonly Rule[] = [
  {
    status: 401,
    codes: ['900421', '10001'],
    as: 'mfa_required',
    message:
      'Partner Center requires multi-factor authentication, and the stored sign-in was made without it. Run `npm run consent` and sign in with MFA, or use an app-only credential.',
  },
  {
    status: 401,
    codes: ['900420'],
    as: 'wrong_audience',
    message:
      'Partner Center rejects the audience of the access token. Set PARTNER_CENTER_CLOUD to the cloud of the partner tenant.',
  },
  {
    status: 401,
    as: 'credential_rejected',
    message:
      'Partner Center rejects the access token of the app. Check PARTNER_CENTER_TENANT_ID and PARTNER_CENTER_CLIENT_ID. Check that the app is registered in Partner Center under Account settings > App management.',
  },
  {
    status: 403,
    codes: ['900421', '10001'],
    as: 'mfa_required',
    message: 'Partner Center requires multi-factor authentication. Run `npm run consent` and sign in with MFA.',
  },
  {
    status: 403,
    codes: ['20002'],
    as: 'no_customer_relationship',
    message:
      'The partner has no reseller relationship with this customer. Ask the customer to accept one, or leave the customer out.',
  },
  {
    status: 403,
    as: 'partner_center_forbidden',
    message:
      'Partner Center denies access. Check that the app or user has the role admin agent or sales agent, that it has consent, and that the partner agreement is signed.',
  },
  {
    status: 404,
    codes: ['60003', '1000'],
    as: 'customer_not_found',
    message: 'Partner Center has no such customer. Check the customer tenant id. list-customers returns the valid ids.',
  },
  {
    status: 404,
    resource: 'order',
    as: 'order_not_found',
    message: 'The customer has no such order. Check the order id. A new order can take 15 minutes to appear.',
  },
]

const matches = (rule: Rule, error: UpstreamError, resource: Resource): boolean =>
  rule.status === error.status &&
  (rule.codes === undefined || (error.code !== undefined && rule.codes.includes(error.code))) &&
  (rule.resource === undefined || rule.resource === resource)

const defaultThrottleSeconds = 60
const defaultOutageSeconds = 30

/** Converts the last response to a call into the failure that callers get. */
export function toAppError(response: TransportResponse, resource: Resource, now: number): AppError {
  const error = readUpstreamError(response)
  const { status } = error
  const wait = parseRetryAfter(response.headers['retry-after'], now)
  const seconds = (fallback: number) => (wait === undefined ? fallback : Math.max(1, Math.ceil(wait / 1000)))
  const options: AppErrorOptions = { upstream: error }
  const said = `Partner Center returned ${status}${error.code === undefined ? '' : ` (code ${error.code})`}`

  if (status === 429) {
    const retryAfterSeconds = seconds(defaultThrottleSeconds)
    return new AppError(
      'partner_center_throttled',
      `Partner Center limits the number of requests. Try again in ${retryAfterSeconds} seconds.`,
      { ...options, retryAfterSeconds },
    )
  }
  if (status >= 500 || status === 408) {
    const retryAfterSeconds = seconds(defaultOutageSeconds)
    return new AppError('partner_center_unavailable', `${said}. Try again in ${retryAfterSeconds} seconds.`, {
      ...options,
      retryAfterSeconds,
    })
  }
  const rule = rules.find(rule => matches(rule, error, resource))
  if (rule === undefined) {
    return new AppError(
      'partner_center_invalid_response',
      `${said}, which this app does not expect here. Report the correlation id to the operator of the app.`,
      options,
    )
  }
  return new AppError(rule.as, `${rule.message} (${said}.)`, options)
}
