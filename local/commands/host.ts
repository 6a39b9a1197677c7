import { environment, readSettings } from '../../shared/settings.ts'
import { root } from '../build/bundle.ts'
import { buildForHost } from '../build/for-host.ts'
import { startHost } from '../host/host.ts'
import { loadLocalSettings } from '../host/local-settings.ts'
import { onEnd } from '../processes/end.ts'
import { explainListening, readPort } from '../processes/port.ts'
import { printWarnings } from '../processes/warnings.ts'

printWarnings()
await loadLocalSettings()
await readSettings()
const env = environment()
const port = readPort(env.PORT)
// Who starts several hosts builds the app once.
if (!process.argv.includes('--built')) await buildForHost()
const host = await startHost({
  appFolder: root,
  port,
  storage: env.AzureWebJobsStorage,
  queueLeaseSeconds: Number(env.LOCAL_QUEUE_LEASE_SECONDS ?? 30),
  key: env.LOCAL_FUNCTION_KEY,
  masterKey: env.LOCAL_MASTER_KEY,
  elsewhere: env.LOCAL_PAGE_URL,
}).catch(error => {
  throw explainListening(error, port)
})

/** Work that takes longer is aborted. Queues deliver it again. */
const drainMs = 30_000

onEnd(async () => {
  setTimeout(() => process.exit(1), drainMs).unref()
  await host.stop()
})
console.log(`Listening on ${host.url}`)
