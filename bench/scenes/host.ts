import { startHost } from '../../local/host/host.ts'
import { environment } from '../../shared/settings.ts'

/**
 * The functions host for the folder in the argument. Log lines are created and then dropped, because a platform would
 * process them elsewhere.
 */
const host = await startHost({
  appFolder: process.argv[2] ?? '',
  port: 0,
  storage: environment().AzureWebJobsStorage,
  writeLog: () => undefined,
})
process.on('SIGTERM', () => host.stop().then(() => process.exit(0)))
console.log(`Listening on ${host.url}`)
