import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright-core'
import { environment } from '../../shared/settings.ts'
import { root } from '../build/bundle.ts'
import { buildForHost } from '../build/for-host.ts'
import { startAzurite } from '../processes/azurite.ts'
import { CommandError } from '../processes/command-error.ts'
import { createListedCases } from '../simulator/listed-cases.ts'
import { createLiveOrders } from '../simulator/live-orders.ts'
import { startSimulator } from '../simulator/simulator.ts'
import { openStoredFiles } from '../start/stored-files.ts'
import { takeSnapshotAt, yesterdaysRun } from '../start/yesterday.ts'

/** `npm run picture`: takes a snapshot a day of the sample data, and makes a picture of the report of the last one. */

const days = 20
const dayMs = 86_400_000
const container = 'order-snapshots'
/** The number of changes before each snapshot, repeated. */
const changesOfDays = [6, 11, 3, 0, 9, 17, 8, 5, 12, 4]
/** The days on which two customers fail. */
const isTroubled = (day: number): boolean => day % 7 === 4 || day === days - 1
/** The upper part of the page, as on a usual screen, small enough for a README. */
const size = { width: 1180, height: 1800 }
const scale = 0.55

function findChromium(): string {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
  const folders = (environment().PATH ?? '').split(delimiter)
  const found = names
    .flatMap(name => folders.map(folder => join(folder, name)))
    .find(path => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
  if (found === undefined) throw new CommandError('The picture needs Chromium or Chrome on PATH.')
  return found
}

const executablePath = findChromium()
const folder = await mkdtemp(join(tmpdir(), 'picture-'))
const [azurite, simulator] = await Promise.all([startAzurite(), startSimulator(), buildForHost()])
try {
  const certificate = join(folder, 'simulator.pem')
  await writeFile(certificate, simulator.certificate)
  const env = {
    ...environment(),
    ...simulator.settings,
    AzureWebJobsStorage: azurite.connectionString,
    NODE_EXTRA_CA_CERTS: certificate,
  }
  const orders = createLiveOrders({ customers: [...simulator.partnerCenter.customers], everySeconds: 1 })
  const cases = createListedCases(simulator.partnerCenter, [20002, 500])
  for (let day = 0; day < days; day++) {
    const at = yesterdaysRun() - (days - 1 - day) * dayMs
    if (day > 0) {
      for (let change = 0; change < (changesOfDays[day % changesOfDays.length] ?? 0); change++)
        orders.change(at - dayMs / 2)
    }
    cases.setFailing(isTroubled(day))
    await takeSnapshotAt(env, at)
    console.log(`Day ${day + 1} of ${days}`)
  }
  const files = openStoredFiles(azurite.connectionString, container)
  const newest = (await files.list('snapshots/'))
    .map(({ name }) => name)
    .findLast(name => name.endsWith('_report.html'))
  const page = newest === undefined ? undefined : await files.readText(newest)
  if (page === undefined) throw new Error('There is no report')
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
  const tab = await browser.newPage({ viewport: size, deviceScaleFactor: scale, colorScheme: 'light' })
  await tab.setContent(page.toString('utf8'))
  const path = `${root}docs/report.png`
  await tab.screenshot({ path })
  await browser.close()
  console.log('Wrote docs/report.png.')
} finally {
  await simulator.stop()
  await azurite.stop()
  await rm(folder, { recursive: true })
}
