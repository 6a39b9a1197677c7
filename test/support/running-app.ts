import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../../local/build/bundle.ts'
import { startAzurite } from '../../local/processes/azurite.ts'
import { type Running, runNode } from '../../local/processes/run-node.ts'
import { type Simulator, startSimulator } from '../../local/simulator/simulator.ts'
import { parseJson } from '../../shared/formats/json.ts'
import { assertNoSecrets } from './secret-watch.ts'

export type RunningApp = {
  /** The address of the HTTP functions, without a slash at the end. */
  api: string
  url: string
  simulator: Simulator
  host: Running
  /** The connection string of its storage. */
  storage: string
  /** The JSON log lines of the host so far. */
  events: () => Record<string, unknown>[]
  stop: () => Promise<void>
}

type Options = {
  /** Without it, the app has storage of its own, which stops with it. */
  storage?: string
  settings?: Record<string, string>
  simulator?: Parameters<typeof startSimulator>[0]
  /** Sets up the simulator before the host starts. */
  prepare?: (simulator: Simulator) => unknown
}

/** The functions host as a process with the built app, and a simulator in this process, so that tests can script it. */
export async function startApp({ storage, settings = {}, simulator: options, prepare }: Options): Promise<RunningApp> {
  const { connectionString, stop: stopStorage } =
    storage === undefined ? await startAzurite() : { connectionString: storage, stop: async () => undefined }
  const simulator = await startSimulator(options)
  prepare?.(simulator)
  const folder = await mkdtemp(join(tmpdir(), 'orders-'))
  const certificate = join(folder, 'simulator.pem')
  await writeFile(certificate, simulator.certificate)
  const host = await startHostProcess({
    ...simulator.settings,
    AzureWebJobsStorage: connectionString,
    NODE_EXTRA_CA_CERTS: certificate,
    ...settings,
  })
  const url = listeningUrl(host)
  return {
    api: `${url}/api`,
    url,
    simulator,
    host,
    storage: connectionString,
    events: () => jsonLines(host.lines),
    async stop() {
      await host.stop()
      await simulator.stop()
      await stopStorage()
      await rm(folder, { recursive: true })
    },
  }
}

/**
 * Starts the script of `npm run host` with only the given settings, on the app that `global-setup.ts` built. When the
 * host stops, its output is searched for secrets, in every test.
 */
export async function startHostProcess(settings: Record<string, string>): Promise<Running> {
  const isReady = (lines: readonly string[]) => lines.some(line => line.startsWith('Listening on '))
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, PORT: '0', ...settings }
  const running = await runNode([`${root}local/run.js`, 'host', '--built'], isReady, { env })
  return {
    ...running,
    async stop(signal) {
      await running.stop(signal)
      assertNoSecrets(running.lines)
    },
  }
}

export const listeningUrl = ({ lines }: Running): string =>
  lines.findLast(line => line.startsWith('Listening on '))?.slice('Listening on '.length) ?? ''

const jsonLines = (lines: readonly string[]): Record<string, unknown>[] =>
  lines.map(line => parseJson(line)).filter(isObject)

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
