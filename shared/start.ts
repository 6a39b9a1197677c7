import { app } from '@azure/functions'
import { getApp } from './app.ts'
import { isAppError } from './errors.ts'
import { createLog } from './log.ts'

/**
 * Says at start what is wrong with the settings, in one line. It must not throw: an entry file that fails shows as an
 * app without functions, and every function reports the same fault itself when it is called.
 */
export async function checkSettings(log = createLog(console)): Promise<void> {
  try {
    const settings = await getApp().settings()
    if (settings.cloud === 'germany') {
      log('warn', 'cloud_closed', {
        message: 'The German cloud was closed. PARTNER_CENTER_CLOUD germany still resolves, but nothing answers there.',
      })
    }
  } catch (error) {
    if (!isAppError(error)) throw error
    log('error', 'app_misconfigured', { message: error.message })
  }
}

app.hook.appStart(() => checkSettings())
