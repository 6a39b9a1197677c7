import { startHost } from '../../local/host/host.ts'
import { environment } from '../../shared/settings.ts'

/** The functions host on a folder given as the argument; log lines are made and then dropped, as a platform takes them off our hands. */
const host = await startHost({
  appFolder: process.argv[2] ?? '',
  port: 0,
  storage: environment().AzureWebJobsStorage,
  writeLog: () => undefined,
})
process.on('SIGTERM', () => host.stop().then(() => process.exit(0)))
console.log(`Listening on ${host.url}`)
