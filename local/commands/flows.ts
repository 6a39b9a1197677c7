import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type FlowSample, flowZip } from '../build/flow-packages.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const samples = `${root}infra/logic-apps/power-automate/`

/** paconn writes the id of the connector that it created to its settings. */
async function connectorOfSettings(): Promise<string | undefined> {
  const settings = JSON.parse(await readFile(`${root}infra/connector/settings.json`, 'utf8')) as Record<string, unknown>
  return typeof settings.connectorId === 'string' ? settings.connectorId : undefined
}

const { values } = parseArgs({ options: { connector: { type: 'string' } } })
const connectorId = values.connector ?? (await connectorOfSettings())
if (connectorId === undefined || !/^shared_[\w.-]{1,200}$/.test(connectorId)) {
  console.error(
    'The packages need the id of the connector in your environment. Run paconn create first, which writes it into infra/connector/settings.json, or name it: npm run flows -- --connector shared_…',
  )
  process.exitCode = 1
} else {
  const target = `${root}.local/flows`
  await mkdir(target, { recursive: true })
  for (const file of (await readdir(samples)).filter(name => name.endsWith('.json'))) {
    const name = file.replace(/\.json$/, '')
    const sample = JSON.parse(await readFile(samples + file, 'utf8')) as FlowSample
    const zip = `${target}/${name}.zip`
    await writeFile(zip, flowZip({ name, sample, connectorId }))
    console.log(`Wrote ${relative(process.cwd(), zip)}.`)
  }
}
