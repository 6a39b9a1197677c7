import { randomUUID } from 'node:crypto'
import { type Simulator, startSimulator } from '../../local/simulator/simulator.ts'
import { type App, createApp } from '../../shared/app.ts'
import { type Clock, systemClock } from '../../shared/runtime/clock.ts'
import { type OperationContext, timeLimit, withDeadline } from '../../shared/runtime/operation.ts'
import { createServerCertificate } from '../support/certificates.ts'
import { type FaultyServer, startFaultyServer, type Tls, type WireFault } from '../support/faulty-server.ts'
import { type QueueServer, startQueueServer } from '../support/queue-server.ts'
import { trust } from '../support/trust.ts'
import { type Dependency, workSeconds } from './expectations.ts'

/** The setting: what reading one customer may take. */
const customerSeconds = 2

/** The managed identity, which the SDK knows once a process: requests of each app go to its own simulator. */
const identities = new Map<string, { simulator: Simulator; fault: WireFault | undefined; count: number }>()
const identityHeader = randomUUID()
const identityOf = (url: string) => identities.get(new URL(url, 'http://identity').searchParams.get('client_id') ?? '')

/** Treats a request as the fault of the app says that sent it. */
const dispatch: WireFault = exchange => {
  const present = identityOf(exchange.url)
  if (present !== undefined) present.count++
  if (present?.fault === undefined || present.fault === 'refused') exchange.pass()
  else present.fault({ ...exchange, count: present.count })
}

type Shared = { tls: Tls; identity: FaultyServer }
let shared: Promise<Shared> | undefined

async function share(): Promise<Shared> {
  const tls = await createServerCertificate()
  trust(tls.cert)
  const identity = await startFaultyServer(url => identityOf(url)?.simulator.plainUrl, tls)
  await identity.setFault(dispatch)
  process.env.IDENTITY_ENDPOINT = `${identity.url}/msi/token`
  process.env.IDENTITY_HEADER = identityHeader
  return { tls, identity }
}

export type World = {
  simulator: Simulator
  queue: QueueServer
  container: string
  /** A worker whose tokens and secrets are not known yet. */
  newApp: () => App
  setFault: (fault: WireFault | undefined) => Promise<void>
  /** Requests to the faulty dependency since its fault was set. */
  count: () => number
  /** Runs work as the platform would, with little time. */
  work: <T>(what: (call: OperationContext) => Promise<T>) => Promise<T>
  /** Lets time pass without waiting for it. */
  advance: (ms: number) => void
  now: () => number
  stop: () => Promise<void>
}

/** An app in this process, with every dependency over the wire, and one of them behind a faulty server. */
export async function startWorld(
  storage: string,
  dependency: Dependency,
  settings: Record<string, string> = {},
): Promise<World> {
  shared ??= share()
  const { tls, identity } = await shared
  let aheadMs = 0
  const clock: Clock = { ...systemClock, now: () => Date.now() + aheadMs }
  const simulator = await startSimulator({ customers: 2, ordersEach: 1, now: clock.now })
  simulator.entra.identityHeader = identityHeader
  const queue = await startQueueServer(clock.now)
  const azurite = new URL(/BlobEndpoint=([^;]+)/.exec(storage)?.[1] ?? '')

  const targets = {
    upstream: simulator.plainUrl,
    authority: simulator.plainUrl,
    vault: simulator.plainUrl,
    blob: azurite.origin,
    queue: queue.url,
  }
  const isIdentity = dependency === 'identity'
  const front = isIdentity
    ? undefined
    : await startFaultyServer(
        targets[dependency],
        dependency === 'vault' || dependency === 'upstream' ? tls : undefined,
      )
  // The vault is called over TLS only, so that it has a server of its own in any case.
  const vault = dependency === 'vault' ? undefined : await startFaultyServer(simulator.plainUrl, tls)
  const urlOf = (name: keyof typeof targets): string => (name === dependency ? front?.url : undefined) ?? targets[name]

  const container = `cell-${randomUUID()}`
  const clientIds: string[] = []
  const connection = storage
    .replace(azurite.origin, urlOf('blob'))
    .replace(/QueueEndpoint=https?:\/\/[^/]+/, `QueueEndpoint=${urlOf('queue')}`)
  const newApp = (): App => {
    const clientId = randomUUID()
    clientIds.push(clientId)
    identities.set(clientId, { simulator, fault: undefined, count: 0 })
    const env = {
      ...simulator.settings,
      ...{ PARTNER_CENTER_BASE_URL: urlOf('upstream'), AZURE_AUTHORITY_HOST: urlOf('authority') },
      KEY_VAULT_URI: vault?.url ?? front?.url,
      AzureWebJobsStorage: connection,
      AZURE_CLIENT_ID: clientId,
      SNAPSHOT_CONTAINER: container,
      PARTNER_CENTER_REQUESTS_PER_MINUTE: '60000',
      REQUEST_DEADLINE_SECONDS: String(customerSeconds),
      ...settings,
    }
    return createApp({ env, overrides: { clock } })
  }

  return {
    simulator,
    queue,
    container,
    newApp,
    async setFault(fault) {
      if (front !== undefined) return front.setFault(fault)
      for (const id of clientIds) Object.assign(identities.get(id) ?? {}, { fault, count: 0 })
      // It is one server for all apps: this one needs it for itself.
      if (fault === 'refused') return identity.setFault(fault)
      if (identity.isClosed()) await identity.setFault(dispatch)
    },
    count: () => front?.count() ?? clientIds.reduce((sum, id) => sum + (identities.get(id)?.count ?? 0), 0),
    work: what => {
      const log: OperationContext['log'] = () => undefined
      return withDeadline(clock, timeLimit(clock, workSeconds), deadline =>
        what({ correlationId: randomUUID(), deadline, log }),
      )
    },
    advance: ms => {
      aheadMs += ms
    },
    now: clock.now,
    async stop() {
      for (const id of clientIds) identities.delete(id)
      await Promise.all([front?.stop(), vault?.stop(), simulator.stop()])
      queue.stop()
    },
  }
}
