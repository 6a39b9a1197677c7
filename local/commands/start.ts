import { mkdir, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { environment } from '../../shared/settings.ts'
import { root } from '../build/bundle.ts'
import { startAzurite } from '../processes/azurite.ts'
import { onEnd } from '../processes/end.ts'
import { runNode } from '../processes/run-node.ts'
import { caseId, failureCases } from '../simulator/failure-cases.ts'
import { documentedCustomerId } from '../simulator/sample-data.ts'
import { startSimulator } from '../simulator/simulator.ts'

/** `npm start`: storage, the simulated cloud and the functions host, all on this machine and without an account. */
const folder = `${root}.local`
await mkdir(folder, { recursive: true })

console.log('Starting Azurite, the simulator and the functions host …')
const [azurite, simulator] = await Promise.all([
  startAzurite({ folder: `${folder}/azurite`, usual: true }),
  startSimulator(),
])
const certificateFile = `${folder}/simulator.pem`
await writeFile(certificateFile, simulator.certificate)

const env = environment()
const settings = {
  ...simulator.settings,
  AzureWebJobsStorage: azurite.connectionString,
  NODE_EXTRA_CA_CERTS: certificateFile,
  PORT: env.PORT ?? '7071',
}
const host = await runNode(
  [`${root}local/commands/host.ts`],
  lines => lines.some(line => line.startsWith('Listening on ')),
  {
    env: { ...env, ...settings },
    onLine: line => console.log(line),
  },
)
const url = host.lines.findLast(line => line.startsWith('Listening on '))?.slice('Listening on '.length) ?? ''

let stopping = false
onEnd(async () => {
  stopping = true
  console.log('\nStopping …')
  await host.stop()
  await Promise.all([simulator.stop(), azurite.stop()])
})
host.process.once('exit', () => {
  // Without the host there is nothing left to stay for.
  if (!stopping) process.kill(process.pid, 'SIGTERM')
})

const cases = failureCases().map(({ digits, what }) => `  ${caseId(digits)}  ${what}`)
console.log(`
Everything runs on this machine:
  functions host        ${url}/api
  blob storage          ${azurite.blobUrl}
  simulated cloud       ${simulator.url}  (Partner Center, Entra ID, Key Vault)

Customers that answer with a failure:
${cases.join('\n')}

Try the customer of Microsoft's documentation:
  curl ${url}/api/customers/${documentedCustomerId}/orders
`)

try {
  await showSnapshot()
} catch (error) {
  // Asked to end meanwhile: the host no longer answers.
  if (!stopping) throw error
}

async function showSnapshot(): Promise<void> {
  const started = await fetch(`${url}/api/snapshots`, { method: 'POST' })
  const location = started.headers.get('location') ?? ''
  let snapshot = await fetch(location)
  while (snapshot.status === 202) {
    await snapshot.arrayBuffer()
    await sleep(250)
    snapshot = await fetch(location)
  }
  if (snapshot.status !== 200) {
    console.log(`The snapshot has failed: ${await snapshot.text()}`)
    return
  }
  const { path, customers, orders } = (await snapshot.json()) as {
    path: string
    customers: { read: number }
    orders: number
  }
  const part = await azurite.readUrl('order-snapshots', `${path}/part-00000.ndjson.gz`)
  console.log(`A snapshot of ${customers.read} customers with ${orders} orders lies in the container order-snapshots:
  ${path}

Count its orders by status:
  curl -s '${part}' | zcat | jq -r .order.status | sort | uniq -c

Ask for a customer's orders as of today:
  curl '${url}/api/customers/${documentedCustomerId}/orders?asOf=${new Date().toISOString().slice(0, 10)}'

Ctrl-C ends everything.`)
}
