import { app, type InvocationContext, type Timer } from '@azure/functions'
import { inBackground } from '../shared/background.ts'

/** Two calls to the vault and one to Entra ID, with their retries, take less than this. */
const deadlineSeconds = 5 * 60

/** Daily at 03:40 UTC: renews the refresh token, and warns of secrets and certificates that expire soon. */
export const renewCredential = (_timer: Timer, context: InvocationContext): Promise<void> =>
  inBackground(context, deadlineSeconds, async (app, operation) => {
    const { renewCredential } = await app.readers()
    await renewCredential(operation)
  })

app.timer('renew-credential', {
  schedule: '0 40 3 * * *',
  // A failed renewal is retried within hours. The stored token stays valid meanwhile.
  retry: {
    strategy: 'exponentialBackoff',
    maxRetryCount: 5,
    minimumInterval: { minutes: 1 },
    maximumInterval: { hours: 2 },
  },
  handler: renewCredential,
})
