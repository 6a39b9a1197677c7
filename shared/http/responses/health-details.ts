import type { App } from '../../app.ts'
import type { CredentialHealth } from '../../credentials/credential-health.ts'
import { isAppError } from '../../errors.ts'
import type { Reachability } from '../../partner-center/reachability.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import type { Snapshot } from '../../snapshots/storage/shapes.ts'
import { type FollowingHealth, readFollowingHealth } from './following-health.ts'

/** The last snapshot, absent before the first, or why it cannot be told. */
type LastSnapshot = Snapshot | { error: { code: string; message: string } }

export type HealthDetails = {
  status: 'ok' | 'degraded'
  credential: CredentialHealth
  partnerCenter: Reachability
  lastSnapshot?: LastSnapshot
  following: FollowingHealth
}

/** From this many days before the end of a secret on, the app counts as degraded, as it is from then on warned of. */
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

/** What an operator wants to know before a caller does: names, dates and counts, never a secret. */
export const readHealthDetails = (app: App, operation: OperationContext): Promise<HealthDetails> =>
  app.share('health details', operation, operation => read(app, operation))

async function read(app: App, operation: OperationContext): Promise<HealthDetails> {
  const [readCredential, readReachability] = await Promise.all([app.credentialHealth(), app.reachability()])
  // First whether it is reachable: that call also tells whether the sign-in was made with MFA.
  const [partnerCenter, lastSnapshot, following] = await Promise.all([
    readReachability(operation),
    readLastSnapshot(app),
    readFollowingHealth(app),
  ])
  const credential = await readCredential(operation)
  const ok = isWell(credential) && partnerCenter.reachable && isFine(lastSnapshot) && following.status !== 'failing'
  return {
    status: ok ? 'ok' : 'degraded',
    credential,
    partnerCenter,
    ...(lastSnapshot === undefined ? {} : { lastSnapshot }),
    following,
  }
}
