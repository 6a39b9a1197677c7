import type { App } from '../../app.ts'
import type { CredentialHealth } from '../../credentials/credential-health.ts'
import { isAppError } from '../../errors.ts'
import type { Reachability } from '../../partner-center/reachability.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import type { Snapshot } from '../../snapshots/storage/shapes.ts'
import { type FollowingHealth, readFollowingHealth } from './following-health.ts'

/** The last snapshot, or the error that prevented reading it. Undefined before the first snapshot. */
type LastSnapshot = Snapshot | { error: { code: string; message: string } }

type HealthDetails = {
  status: 'ok' | 'degraded'
  credential: CredentialHealth
  partnerCenter: Reachability
  lastSnapshot?: LastSnapshot
  following: FollowingHealth
}

/**
 * The app counts as degraded from this many days before a secret expires. The warnings in the log start on the same
 * day.
 */
const warnDays = 14

const isWell = ({ error, secrets, mfaCompliant }: CredentialHealth): boolean =>
  error === undefined &&
  mfaCompliant !== false &&
  secrets.every(({ daysLeft }) => daysLeft === undefined || daysLeft > warnDays)

async function readLastSnapshot(app: App): Promise<LastSnapshot | undefined> {
  try {
    const { status } = await app.snapshots()
    const { runs } = await status.list(1, undefined)
    return runs[0]
  } catch (error) {
    if (!isAppError(error)) throw error
    return { error: { code: error.code, message: error.message } }
  }
}

const isFine = (snapshot: LastSnapshot | undefined): boolean =>
  snapshot === undefined || ('status' in snapshot && snapshot.status !== 'failed')

/** The state of the app for an operator: names, dates and counts, never a secret. */
export const readHealthDetails = (app: App, operation: OperationContext): Promise<HealthDetails> =>
  app.share('health details', operation, operation => read(app, operation))

async function read(app: App, operation: OperationContext): Promise<HealthDetails> {
  const { credentialHealth, reachability } = await app.readers()
  // Reachability comes before the credential, because the response of that call says whether the sign-in used MFA.
  const [partnerCenter, lastSnapshot, following] = await Promise.all([
    reachability(operation),
    readLastSnapshot(app),
    readFollowingHealth(app),
  ])
  const credential = await credentialHealth(operation)
  const ok = isWell(credential) && partnerCenter.reachable && isFine(lastSnapshot) && following.status !== 'failing'
  return {
    status: ok ? 'ok' : 'degraded',
    credential,
    partnerCenter,
    ...(lastSnapshot === undefined ? {} : { lastSnapshot }),
    following,
  }
}
