import { isAppError } from '../../shared/errors.ts'
import { environment, readSettings } from '../../shared/settings.ts'
import { buildApp, root } from '../build/bundle.ts'
import { startHost } from '../host/host.ts'
import { loadLocalSettings } from '../host/local-settings.ts'
import { onEnd } from '../processes/end.ts'

await loadLocalSettings()
try {
  await readSettings()
} catch (error) {
  if (!isAppError(error)) throw error
  console.error(error.message)
  process.exit(1)
}
const env = environment()
await buildApp()
const host = await startHost({
  appFolder: root,
  port: Number(env.PORT ?? 7071),
  storage: env.AzureWebJobsStorage,
  queueLeaseSeconds: Number(env.LOCAL_QUEUE_LEASE_SECONDS ?? 30),
  key: env.LOCAL_FUNCTION_KEY,
})

/** Work that takes longer than this is cut off; queues deliver it again. */
const drainMs = 30_000

onEnd(async () => {
  setTimeout(() => process.exit(1), drainMs).unref()
  await host.stop()
})
console.log(`Listening on ${host.url}`)
