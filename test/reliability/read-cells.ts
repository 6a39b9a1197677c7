import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Running } from '../../local/processes/run-node.ts'
import { type Simulator, startSimulator } from '../../local/simulator/simulator.ts'
import { createServerCertificate } from '../support/certificates.ts'
import { startFaultyServer, type WireFault } from '../support/faulty-server.ts'
import { listeningUrl, startHostProcess } from '../support/running-app.ts'
import type { Result } from './background-cells.ts'
import { type Dependency, readDeadlineSeconds } from './expectations.ts'

/** Where the deadline and a second have passed long ago. */
const patienceMs = 30_000

export type Reader = {
  /** One read with the fault, and one after it. */
  run: (fault: WireFault) => Promise<Result>
  stop: () => Promise<void>
}

/** What is asked for with each read. A token and a secret are kept, so that only a worker without them asks. */
const isAskedEachTime = (dependency: Dependency): boolean => dependency === 'upstream' || dependency === 'blob'

/** The functions host on the built app, with one dependency behind a faulty server. `readBack` names a container with a snapshot. */
export async function startReader(
  storage: string,
  dependency: Exclude<Dependency, 'queue'>,
  readBack: string | undefined,
): Promise<Reader> {
  const [simulator, tls] = await Promise.all([
    startSimulator({ customers: 1, ordersEach: 1 }),
    createServerCertificate(),
  ])
  const blobs = new URL(/BlobEndpoint=([^;]+)/.exec(storage)?.[1] ?? '').origin
  const front = await startFaultyServer(
    dependency === 'blob' ? blobs : simulator.plainUrl,
    dependency === 'blob' ? undefined : tls,
  )
  const folder = await mkdtemp(join(tmpdir(), 'reliability-'))
  const certificates = join(folder, 'certificates.pem')
  await writeFile(certificates, `${simulator.certificate}\n${tls.cert}`)
  const settings = {
    ...simulator.settings,
    ...settingOf(dependency, front.url),
    NODE_EXTRA_CA_CERTS: certificates,
    AzureWebJobsStorage: storage,
    SnapshotStorage: storage.replace(blobs, dependency === 'blob' ? front.url : blobs),
    REQUEST_DEADLINE_SECONDS: String(readDeadlineSeconds),
    ...(readBack === undefined ? {} : { SNAPSHOT_CONTAINER: readBack }),
  }
  const query = dependency === 'blob' ? '?asOf=2099-01-01' : ''
  const path = `api/customers/${customerOf(simulator)}/orders${query}`
  let host: Running | undefined

  async function read(): Promise<string> {
    host ??= await startHostProcess(settings)
    const response = await fetch(`${listeningUrl(host)}/${path}`, { signal: AbortSignal.timeout(patienceMs) })
    const text = await response.text()
    if (response.status === 200) return '200'
    const { error, retryable } = JSON.parse(text) as { error: { code: string }; retryable: boolean }
    const wait = response.headers.get('retry-after')
    if (retryable !== (wait !== null)) return `${response.status} with Retry-After ${wait}`
    return `${response.status} ${error.code}`
  }

  async function restart(): Promise<void> {
    await host?.stop()
    host = undefined
  }

  return {
    async run(fault) {
      // What starts the process does not count.
      host ??= await startHostProcess(settings)
      await front.setFault(fault)
      const startedAt = performance.now()
      const outcome = await read()
      const ms = performance.now() - startedAt
      const requests = front.count()
      await front.setFault(undefined)
      if (!isAskedEachTime(dependency)) {
        if (outcome === '200') await restart()
        return { outcome, ms, requests, afterwards: '' }
      }
      const after = await read()
      return { outcome, ms, requests, afterwards: after === '200' ? '' : `the next read: ${after}` }
    },
    async stop() {
      const after = await read()
      await restart()
      await Promise.all([front.stop(), simulator.stop(), rm(folder, { recursive: true })])
      if (after !== '200') throw new Error(`After all faults of ${dependency} a read gives ${after}`)
    },
  }
}

const customerOf = ({ partnerCenter }: Simulator): string => partnerCenter.customers[0]?.id ?? ''

const settingOf = (dependency: Dependency, url: string): Record<string, string> =>
  ({
    upstream: { PARTNER_CENTER_BASE_URL: url },
    authority: { AZURE_AUTHORITY_HOST: url },
    vault: { KEY_VAULT_URI: url },
    identity: { IDENTITY_ENDPOINT: `${url}/msi/token` },
    blob: {},
    queue: {},
  })[dependency]
