import { createWriteStream } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { environment } from '../../shared/settings.ts'
import { root } from '../build/bundle.ts'
import { buildForHost } from '../build/for-host.ts'
import { startAzurite } from '../processes/azurite.ts'
import { CommandError } from '../processes/command-error.ts'
import { onEnd } from '../processes/end.ts'
import { readPort, requireFreePort } from '../processes/port.ts'
import { EndedEarly, runNode } from '../processes/run-node.ts'
import { startSimulator } from '../simulator/simulator.ts'
import { dataFolder, openDataFolder, publishRunning } from '../start/data-folder.ts'
import { prepareDays } from '../start/days.ts'
import { formatLogLine } from '../start/host-log.ts'
import { startPage } from '../start/page.ts'
import { describeFailures, describeStart, describeToday } from '../start/text.ts'
import { takeTodaysSnapshot } from '../start/today.ts'

/** `npm start`: storage, the simulated cloud and the functions host, all on this machine and without an account. */
const usage = 'npm start -- [--changes SECONDS|off] [--failures]'

function readOptions() {
  try {
    const { values } = parseArgs({
      options: { changes: { type: 'string', default: '20' }, failures: { type: 'boolean', default: false } },
    })
    const changeSeconds = values.changes === 'off' ? undefined : Number(values.changes)
    if (changeSeconds === undefined || changeSeconds >= 1) return { changeSeconds, failures: values.failures }
  } catch {
    // The next statement reports it.
  }
  throw new CommandError(`These options are not known. Use: ${usage}`)
}

const listening = 'Listening on '
const isListening = (line: string): boolean => line.startsWith(listening)

const env = environment()
const options = readOptions()
const port = readPort(env.PORT)

let isEnding = false
const ends: (() => unknown)[] = []
const stopAll = onEnd(async () => {
  isEnding = true
  console.log('\nStopping …')
  for (const end of ends.reverse()) await end()
})

try {
  await run()
} catch (error) {
  // The start was interrupted, so a service that had not started is no failure.
  if (!isEnding) throw error instanceof EndedEarly ? new CommandError(error.lines.join('\n')) : error
}

async function run(): Promise<void> {
  const folder = dataFolder(env)
  await openDataFolder(folder)
  if (port !== 0) await requireFreePort(port)
  await mkdir(join(folder, 'azurite'), { recursive: true })
  // For a folder that is not writable, Azurite would print many lines.
  for (const name of ['azurite/written', 'host.log']) await writeFile(join(folder, name), '')

  console.log('Starting storage, the simulated cloud and the functions host …')
  const [azurite, simulator] = await Promise.all([
    startAzurite({ folder: join(folder, 'azurite'), usual: true }),
    startSimulator(),
    buildForHost(),
  ])
  ends.push(azurite.stop, simulator.stop)
  const storage = azurite.connectionString
  const container = env.SNAPSHOT_CONTAINER ?? 'order-snapshots'
  const certificateFile = join(folder, 'simulator.pem')
  await writeFile(certificateFile, simulator.certificate)
  const settings = { ...simulator.settings, AzureWebJobsStorage: storage, NODE_EXTRA_CA_CERTS: certificateFile }

  const days = await prepareDays({ folder, storage, container, simulator, env: { ...env, ...settings }, options })
  ends.push(() => days.orders.setOn(false))
  const services: { name: string; value: string }[] = []
  const page = await startPage({ ...days, services: () => services, storage, container, key: env.LOCAL_FUNCTION_KEY })
  ends.push(page.stop)

  const log = createWriteStream(join(folder, 'host.log'), { flags: 'a' })
  let isReady = false
  const host = await runNode([`${root}local/run.js`, 'host', '--built'], lines => lines.some(isListening), {
    env: { ...env, ...settings, PORT: String(port), LOCAL_PAGE_URL: page.url },
    onLine(line) {
      log.write(`${line}\n`)
      const text = isListening(line) ? line : formatLogLine(line)
      if (text !== undefined && (isReady || isListening(line))) console.log(text)
    },
  })
  ends.push(() => host.stop())
  host.process.once('exit', () => {
    // Without the host, the other services have no use.
    if (!isEnding) stopAll()
  })
  const url = host.lines.findLast(isListening)?.slice(listening.length) ?? ''
  await publishRunning(folder, { url, storage, container, plainUrl: simulator.plainUrl, certificateFile, settings })
  services.push(
    { name: 'functions host', value: `${url}/api` },
    { name: 'blob storage', value: azurite.blobUrl },
    { name: 'simulated cloud', value: `${simulator.url}  (Partner Center, Entra ID, Key Vault)` },
    { name: 'log of the host', value: relative(process.cwd(), join(folder, 'host.log')) },
  )
  console.log(describeStart(url, services))
  if (options.failures) console.log(describeFailures(url, days.cases.all()))
  console.log('Taking a snapshot …')
  const today = await takeTodaysSnapshot(url, env.LOCAL_FUNCTION_KEY)
  console.log(describeToday(url, today, options.changeSeconds))
  isReady = true
  if (options.changeSeconds !== undefined) days.orders.setOn(true)
}
