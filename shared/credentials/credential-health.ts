import { type ErrorCode, isAppError } from '../errors.ts'
import type { Clock } from '../runtime/clock.ts'
import type { OperationContext } from '../runtime/operation.ts'
import type { CredentialSecret, PartnerCredential } from './partner-credential.ts'
import { daysUntil } from './renewal.ts'

export type CredentialHealth = {
  kind: string
  secrets: { name: string; ageDays?: number; expiresAt?: string; daysLeft?: number; renewedAt?: string }[]
  /** True if Partner Center reported the last App+User sign-in as MFA-compliant. Absent before the first call. */
  mfaCompliant?: boolean
  error?: { code: ErrorCode; message: string }
}

/** The state of the credential for an operator: names, ages and expiry dates, never a value. */
export async function readCredentialHealth(
  credential: PartnerCredential,
  mfaCompliant: boolean | undefined,
  operation: OperationContext,
  clock: Clock,
): Promise<CredentialHealth> {
  const base = { kind: credential.kind, ...(mfaCompliant === undefined ? {} : { mfaCompliant }) }
  try {
    const secrets = await credential.inspect(operation)
    return { ...base, secrets: secrets.map(secret => describe(secret, clock.now())) }
  } catch (error) {
    if (!isAppError(error)) throw error
    return { ...base, secrets: [], error: { code: error.code, message: error.message } }
  }
}

const describe = ({ name, createdAt, expiresAt, renewedAt }: CredentialSecret, now: number) => ({
  name,
  ...(createdAt === undefined ? {} : { ageDays: Math.max(0, daysUntil(now, createdAt)) }),
  ...(expiresAt === undefined
    ? {}
    : { expiresAt: new Date(expiresAt).toISOString(), daysLeft: daysUntil(expiresAt, now) }),
  ...(renewedAt === undefined ? {} : { renewedAt }),
})
