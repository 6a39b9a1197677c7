import { monitorEventLoopDelay } from 'node:perf_hooks'
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

// Any message starts a count of the delays of the event loop; the answer says how they were since the one before.
const delays = monitorEventLoopDelay({ resolution: 1 })
delays.enable()
process.on('message', () => {
  process.send?.({ p99Ms: delays.percentile(99) / 1e6, maxMs: delays.max / 1e6, count: delays.count })
  delays.reset()
})

process.on('SIGTERM', () => host.stop().then(() => process.exit(0)))
console.log(`Listening on ${host.url}`)
