import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { loadApp, type WriteLog } from './core.ts'
import { forwardTo } from './forward.ts'
import { createHttpServer } from './http.ts'
import { readQueueOptions, startQueues } from './queues.ts'
import { httpRoutes } from './routes.ts'
import { startTimers } from './timers.ts'

export type RunningHost = {
  url: string
  functions: string[]
  /** Stops accepting work, waits for the work in progress, and ends. */
  stop: () => Promise<void>
}

type HostOptions = {
  /** The folder with `package.json`, `host.json` and the built app, as it is deployed. */
  appFolder: string
  port: number
  /** Connection string of the storage with the queues. */
  storage?: string | undefined
  /** Seconds for which a message in progress is hidden. */
  queueLeaseSeconds?: number
  /** If given, functions with authLevel `function` require it. */
  key?: string | undefined
  /** If given, it is valid for every function and required under `/admin`. */
  masterKey?: string | undefined
  /** If given, the origin for addresses without a function. */
  elsewhere?: string | undefined
  writeLog?: WriteLog
}

const writeToConsole: WriteLog = (level, _category, message) => {
  if (level === 'error' || level === 'critical' || level === 'warning') console.error(message)
  else if (level !== 'debug' && level !== 'trace') console.log(message)
}

/**
 * Runs a built app on this machine. It replaces Azure Functions Core Tools, which need a download. `func start` runs
 * the same build.
 */
export async function startHost({
  appFolder,
  port,
  storage,
  queueLeaseSeconds = 30,
  key,
  masterKey,
  elsewhere,
  writeLog = writeToConsole,
}: HostOptions): Promise<RunningHost> {
  const read = async (name: string) =>
    JSON.parse(await readFile(join(appFolder, name), 'utf8')) as Record<string, unknown>
  const [{ main }, hostJson] = await Promise.all([read('package.json'), read('host.json')])
  const extensions = (hostJson.extensions ?? {}) as {
    http?: { routePrefix?: string }
    queues?: Record<string, unknown>
  }
  const app = await loadApp(join(appFolder, String(main)), writeLog)
  await app.runHooks('appStart')

  const routes = httpRoutes(app.functions.values(), extensions.http?.routePrefix ?? 'api')
  const timers = startTimers(app)
  const queues = startQueues({
    app,
    connectionString: storage,
    queues: readQueueOptions(extensions.queues),
    leaseSeconds: queueLeaseSeconds,
  })
  const server = createHttpServer({
    app,
    routes,
    key,
    masterKey,
    startByHand: timers.startByHand,
    elsewhere: elsewhere === undefined ? undefined : forwardTo(elsewhere),
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    functions: [...app.functions.keys()].sort(),
    async stop() {
      const closed = new Promise(resolve => server.close(resolve))
      // A kept-alive connection is idle after its last response.
      const sweeping = setInterval(() => server.closeIdleConnections(), 100)
      await Promise.all([closed, timers.stop(), queues?.stop()])
      clearInterval(sweeping)
      await app.runHooks('appTerminate')
    },
  }
}
