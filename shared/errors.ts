type Kind = { status: number; title: string }

const kind = (status: number, title: string): Kind => ({ status, title })

/**
 * Every failure that this app returns. Callers rely on the codes: a code never changes, and is never reused. Power
 * Automate and Logic Apps retry 408, 429 and every 5xx, and nothing else. A failure that a person has to fix is
 * therefore a 4xx other than 429, with three exceptions: `snapshot_corrupt`, `app_misconfigured` and `internal_error`.
 */
export const errorKinds = {
  invalid_request: kind(400, 'The request is not valid'),
  customer_not_found: kind(404, 'The customer is unknown to Partner Center'),
  order_not_found: kind(404, 'The order is unknown to Partner Center'),
  snapshot_not_found: kind(404, 'There is no such snapshot'),
  route_not_found: kind(404, 'There is nothing at this address'),
  snapshot_running: kind(409, 'A snapshot is being taken'),
  snapshot_ended: kind(409, 'The snapshot has ended'),
  cursor_expired: kind(410, 'The cursor is too old'),
  no_customer_relationship: kind(403, 'No reseller relationship with the customer'),
  partner_center_forbidden: kind(403, 'Partner Center refuses the app'),
  credential_rejected: kind(424, 'The Partner Center credential is rejected'),
  mfa_required: kind(424, 'The Partner Center credential lacks multi-factor authentication'),
  wrong_audience: kind(424, 'The access token is for another audience'),
  key_vault_refused: kind(424, 'Key Vault refuses or does not have the secret'),
  snapshot_failed: kind(424, 'The snapshot has failed'),
  snapshot_cancelled: kind(424, 'The snapshot was cancelled'),
  snapshot_blob_locked: kind(424, 'A blob is leased, archived or protected'),
  partner_center_throttled: kind(429, 'Partner Center limits the number of requests'),
  snapshot_corrupt: kind(500, 'A blob of the snapshot is damaged'),
  app_misconfigured: kind(500, 'The settings of the app are not valid'),
  internal_error: kind(500, 'The app failed'),
  partner_center_invalid_response: kind(502, 'Partner Center sent an unusable response'),
  partner_center_unavailable: kind(503, 'Partner Center is unavailable'),
  deadline_exceeded: kind(503, 'The response took too long'),
  key_vault_unavailable: kind(503, 'Key Vault is unreachable'),
  authority_unavailable: kind(503, 'The sign-in service is unreachable'),
  storage_unavailable: kind(503, 'Blob storage is unreachable'),
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
