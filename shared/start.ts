import { app } from '@azure/functions'
import { type App, getApp } from './app.ts'
import { isAppError } from './errors.ts'
import { systemClock } from './runtime/clock.ts'
import { consoleSink, createLog, describeError, type Log } from './runtime/log.ts'
import { timeLimit, withDeadline } from './runtime/operation.ts'

/**
 * Logs the faults of the settings at start, in one line. It must not throw: if an entry file fails, the platform shows
 * an app without functions. Every function also reports the fault when it is called.
 */
async function checkAtStart(app: App = getApp(), log: Log = createLog(consoleSink)): Promise<void> {
  try {
    const { cloud } = await app.settings()
    if (cloud === 'germany') {
      const message =
        'The German cloud was closed. PARTNER_CENTER_CLOUD germany still resolves, but no service responds there.'
      log('warn', 'cloud_closed', { message })
    }
  } catch (error) {
    log('error', 'app_misconfigured', { message: describeError(error) })
    return
  }
  // Not awaited: a slow vault must not delay the first request.
  checkCredential(app, log).catch(error => log('error', 'credential_unusable', { message: describeError(error) }))
}

/**
 * Reads the secrets of the credential, so that a missing, damaged or expired secret is in the log before the first
 * call.
 */
async function checkCredential(app: App, log: Log): Promise<void> {
  try {
    // The time limit is that of a request, because a request that arrives meanwhile shares this call.
    const { deadlineSeconds } = await app.settings()
    await withDeadline(systemClock, timeLimit(systemClock, deadlineSeconds), async deadline => {
      const operation = { correlationId: 'start', deadline, log }
      const { checkCredential } = await app.readers()
      await checkCredential(operation)
    })
  } catch (error) {
    if (!isAppError(error)) throw error
    log('error', 'credential_unusable', { code: error.code, message: error.message })
  }
}

app.hook.appStart(() => checkAtStart())
