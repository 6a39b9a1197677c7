import { isAppError } from '../errors.ts'
import { dayMs } from '../formats/days.ts'
import type { Clock } from '../runtime/clock.ts'
import { describeError } from '../runtime/log.ts'
import type { OperationContext } from '../runtime/operation.ts'
import type { Settings } from '../settings.ts'
import type { CredentialSecret, PartnerCredential } from './partner-credential.ts'
import type { Secrets } from './secrets.ts'

/** A refresh token expires if nobody redeems it for this long (learn.microsoft.com/entra/identity-platform/refresh-tokens). */
export const refreshTokenLifeMs = 90 * dayMs

/** Each check warns if a secret or certificate expires within this many days. */
const warnDays = 14

export const daysUntil = (at: number, now: number): number => Math.floor((at - now) / dayMs)

/** Logs `credential_expires_soon` for each secret or certificate that expires soon. An alert looks for this event. */
export function warnOfExpiry(secrets: readonly CredentialSecret[], operation: OperationContext, now: number): void {
  for (const { name, expiresAt } of secrets) {
    if (expiresAt === undefined || daysUntil(expiresAt, now) > warnDays) continue
    operation.log('error', 'credential_expires_soon', {
      secret: name,
      daysLeft: daysUntil(expiresAt, now),
      expiresAt: new Date(expiresAt).toISOString(),
    })
  }
}

type Options = { credential: PartnerCredential; secrets: Secrets; settings: Settings; clock: Clock }

/**
 * Redeems the refresh token and stores the newer one as a new version of its secret. The token therefore never reaches
 * its maximum age. If two renewals run at once, both store a valid token, because older tokens stay valid. If a write
 * fails, the stored token stays valid, too. The SDK retries a call to the vault. A renewal that still fails logs the
 * failure and rejects, so that the platform runs it again.
 */
export function createRenewal({
  credential,
  secrets,
  settings,
  clock,
}: Options): (operation: OperationContext) => Promise<void> {
  async function renewRefreshToken(operation: OperationContext): Promise<void> {
    const name = settings.secretNames.refreshToken
    const value = await credential.redeem(operation)
    const expiresAt = clock.now() + refreshTokenLifeMs
    const tags = { renewedAt: new Date(clock.now()).toISOString(), source: 'renew-credential' }
    await secrets.write(name, { value, expiresAt, tags }, operation)
    operation.log('info', 'credential_renewed', { secret: name, expiresAt: new Date(expiresAt).toISOString() })
  }

  return async operation => {
    try {
      if (credential.kind === 'refresh-token') await renewRefreshToken(operation)
      warnOfExpiry(await credential.inspect(operation, true), operation, clock.now())
    } catch (error) {
      operation.log('error', 'credential_renewal_failed', {
        code: isAppError(error) ? error.code : 'internal_error',
        message: describeError(error),
      })
      throw error
    }
  }
}
