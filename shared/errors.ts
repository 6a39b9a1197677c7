/**
 * Who has to act. The `caller` fixes the request, the `operator` fixes the setup. An `upstream` failure usually clears
 * without intervention. `app` is a bug in this app.
 */
export type Fault = 'caller' | 'operator' | 'upstream' | 'app'

type Kind = { status: number; title: string; fault: Fault }

const kind = (status: number, fault: Fault, title: string): Kind => ({ status, title, fault })

/**
 * Every failure that this app returns. Callers rely on the codes: a code never changes, and is never reused. Power
 * Automate and Logic Apps retry 408, 429 and every 5xx, and nothing else. A failure that a person has to fix is
 * therefore a 4xx other than 429, with three exceptions: `snapshot_corrupt`, `app_misconfigured` and `internal_error`.
 */
export const errorKinds = {
  invalid_request: kind(400, 'caller', 'The request is not valid'),
  customer_not_found: kind(404, 'caller', 'The customer is unknown to Partner Center'),
  order_not_found: kind(404, 'caller', 'The order is unknown to Partner Center'),
  snapshot_not_found: kind(404, 'caller', 'There is no such snapshot'),
  route_not_found: kind(404, 'caller', 'There is nothing at this address'),
  snapshot_running: kind(409, 'caller', 'A snapshot is being taken'),
  snapshot_ended: kind(409, 'caller', 'The snapshot has ended'),
  cursor_expired: kind(410, 'caller', 'The cursor is too old'),
  no_customer_relationship: kind(403, 'operator', 'No reseller relationship with the customer'),
  partner_center_forbidden: kind(403, 'operator', 'Partner Center refuses the app'),
  credential_rejected: kind(424, 'operator', 'The Partner Center credential is rejected'),
  mfa_required: kind(424, 'operator', 'The Partner Center credential lacks multi-factor authentication'),
  wrong_audience: kind(424, 'operator', 'The access token is for another audience'),
  key_vault_refused: kind(424, 'operator', 'Key Vault refuses or does not have the secret'),
  snapshot_failed: kind(424, 'operator', 'The snapshot has failed'),
  snapshot_cancelled: kind(424, 'operator', 'The snapshot was cancelled'),
  snapshot_blob_locked: kind(424, 'operator', 'A blob is leased, archived or protected'),
  partner_center_throttled: kind(429, 'upstream', 'Partner Center limits the number of requests'),
  snapshot_corrupt: kind(500, 'operator', 'A blob of the snapshot is damaged'),
  app_misconfigured: kind(500, 'operator', 'The settings of the app are not valid'),
  internal_error: kind(500, 'app', 'The app failed'),
  partner_center_invalid_response: kind(502, 'upstream', 'Partner Center sent an unusable response'),
  partner_center_unavailable: kind(503, 'upstream', 'Partner Center is unavailable'),
  deadline_exceeded: kind(503, 'upstream', 'The response took too long'),
  key_vault_unavailable: kind(503, 'upstream', 'Key Vault is unreachable'),
  authority_unavailable: kind(503, 'upstream', 'The sign-in service is unreachable'),
  storage_unavailable: kind(503, 'upstream', 'Blob storage is unreachable'),
} as const satisfies Record<string, Kind>

export type ErrorCode = keyof typeof errorKinds

/** One fault in a request: the parameter and the form that it must have. */
export type ErrorDetail = { target: string; message: string }

export type AppErrorOptions = {
  /** The parameter, header or cursor at fault. */
  target?: string
  details?: ErrorDetail[]
  /** Whole seconds to wait before the next try. */
  retryAfterSeconds?: number
  /** Address of the run that blocks this request, for `snapshot_running`. */
  location?: string
  /** The response of Partner Center. It goes into the log, never to the caller. */
  upstream?: { status: number; code?: string | undefined; requestId?: string | undefined; text?: string | undefined }
  cause?: unknown
}

/** A failure with a documented code. `message` tells the reader what to do next and never contains a secret. */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode
  readonly options: AppErrorOptions

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.options = options
  }

  get status(): number {
    return errorKinds[this.code].status
  }

  /** True for 429 and 503 only: a later try may succeed without intervention. */
  get retryable(): boolean {
    return this.status === 429 || this.status === 503
  }
}

export const isAppError = (error: unknown): error is AppError => error instanceof AppError

/** True for a failure that affects every call made with this credential, not only the calls for one customer. */
export const isCredentialFailure = (error: unknown): boolean =>
  isAppError(error) &&
  ['credential_rejected', 'mfa_required', 'wrong_audience', 'key_vault_refused'].includes(error.code)
