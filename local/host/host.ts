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
  /** Stops taking work, waits for what is under way, and ends. */
  stop: () => Promise<void>
}

type HostOptions = {
  /** Folder with `package.json`, `host.json` and the built app, as it is deployed. */
  appFolder: string
  port: number
  /** Connection string of the storage that queue triggers poll. */
  storage?: string | undefined
  /** Seconds a message stays hidden while it is worked on. */
  queueLeaseSeconds?: number
  /** Demanded by functions with authLevel `function`, if given. */
  key?: string | undefined
  /** Opens every function, and is demanded by what is under `/admin`, if given. */
  masterKey?: string | undefined
  /** Origin that answers what no function takes, if given. */
  elsewhere?: string | undefined
  writeLog?: WriteLog
}

const writeToConsole: WriteLog = (level, _category, message) => {
  if (level === 'error' || level === 'critical' || level === 'warning') console.error(message)
  else if (level !== 'debug' && level !== 'trace') console.log(message)
}

/**
 * Runs a built app on this machine: a stand-in for Azure Functions Core Tools, which need a download. Where `func` is
 * installed, `func start` runs the same build.
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
    http?: { routePrefix?: string; maxOutstandingRequests?: number }
    queues?: Record<string, unknown>
  }
  const app = await loadApp(join(appFolder, String(main)), writeLog)
  await app.runHooks('appStart')

  const { routePrefix = 'api', maxOutstandingRequests = -1 } = extensions.http ?? {}
  const routes = httpRoutes(app.functions.values(), routePrefix)
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
    maxOutstandingRequests: maxOutstandingRequests < 0 ? undefined : maxOutstandingRequests,
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
      // A connection that is kept alive is idle once its last answer is out.
      const sweeping = setInterval(() => server.closeIdleConnections(), 100)
      await Promise.all([closed, timers.stop(), queues?.stop()])
      clearInterval(sweeping)
      await app.runHooks('appTerminate')
    },
  }
}
