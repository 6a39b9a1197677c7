import type { TokenCredential } from '@azure/identity'
import type { Authority } from './credentials/authority.ts'
import type { CredentialHealth } from './credentials/credential-health.ts'
import type { PartnerCredential } from './credentials/partner-credential.ts'
import type { Secrets } from './credentials/secrets.ts'
import type { StartSignIn } from './credentials/sign-in.ts'
import type { ListCustomers } from './customers/customer-list.ts'
import type { LookUpCustomers } from './customers/look-up-customers.ts'
import type { ReadOrder } from './orders/read-order.ts'
import type { ReadOrders } from './orders/read-orders.ts'
import type { Reachability } from './partner-center/reachability.ts'
import type { RequestOptions, RequestPartnerCenter, TokenSource } from './partner-center/request.ts'
import type { Transport } from './partner-center/transport.ts'
import { type Clock, systemClock } from './runtime/clock.ts'
import type { OperationContext } from './runtime/operation.ts'
import { createShareCall, type ShareCall } from './runtime/shared-calls.ts'
import { type Environment, environment, readSettings, type Settings } from './settings.ts'
import type { Snapshots } from './snapshots/snapshots.ts'
import { queueName } from './snapshots/storage/queue-names.ts'

/** The collaborators of the functions. Each is created when it is first needed. */
export type App = {
  clock: Clock
  settings: () => Promise<Settings>
  credential: () => Promise<PartnerCredential>
  renewCredential: () => Promise<(operation: OperationContext) => Promise<void>>
  startSignIn: () => Promise<StartSignIn>
  credentialHealth: () => Promise<(operation: OperationContext) => Promise<CredentialHealth>>
  reachability: () => Promise<(operation: OperationContext) => Promise<Reachability>>
  /** Combines equal calls that run at the same time. */
  share: ShareCall
  readOrders: () => Promise<ReadOrders>
  readOrder: () => Promise<ReadOrder>
  listCustomers: () => Promise<ListCustomers>
  lookUpCustomers: () => Promise<LookUpCustomers>
  snapshots: () => Promise<Snapshots>
}

type AppOptions = { env?: Environment; overrides?: { clock?: Clock } }

/** HTTP reads have their own connections, so that a snapshot does not delay a caller. */
const httpConnections = 64

/** Calls `make` once and keeps its result. A rejected result is not kept. */
export function lazy<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch(error => {
      made = undefined
      throw error
    })
    return made
  }
}

/**
 * The composition root: the one place where modules are wired. SDKs, undici and zod are loaded with the part that needs
 * them, so that a cold start loads only what its first call uses.
 */
export function createApp({ env = environment(), overrides = {} }: AppOptions = {}): App {
  const clock = overrides.clock ?? systemClock
  const share = createShareCall(clock)
  const settings = lazy(() => readSettings(env))
  let mfaCompliant: boolean | undefined

  const identity = lazy(async (): Promise<TokenCredential> => {
    const { createAzureCredential } = await import('./credentials/azure-credential.ts')
    return createAzureCredential(await settings())
  })

  const transport = lazy(async (): Promise<Transport> => {
    const { createTransport } = await import('./partner-center/transport.ts')
    return createTransport({ connections: httpConnections })
  })

  const secrets = lazy(async (): Promise<Secrets> => {
    const { createSecrets } = await import('./credentials/secrets.ts')
    return createSecrets({ vaultUri: (await settings()).keyVaultUri ?? '', credential: identity, clock, share })
  })

  const authority = lazy(async (): Promise<Authority> => {
    const [values, { createAuthority }] = await Promise.all([settings(), import('./credentials/authority.ts')])
    return createAuthority({
      authority: values.authority,
      tenantId: values.partnerTenantId,
      clientId: values.clientId,
      transport: await transport(),
      clock,
    })
  })

  const credentialParts = lazy(async () => ({
    settings: await settings(),
    authority: await authority(),
    secrets: await secrets(),
    clock,
  }))

  const credential = lazy(async (): Promise<PartnerCredential> => {
    const { createPartnerCredential } = await import('./credentials/partner-credential.ts')
    return createPartnerCredential({ ...(await credentialParts()), identity })
  })

  const tokens = lazy(async (): Promise<TokenSource> => {
    const { createTokenSource } = await import('./credentials/token-source.ts')
    return createTokenSource({ acquire: (await credential()).acquire, clock, share })
  })

  /** Options that the clients for callers and for snapshots share. */
  const requestOptions = async (transport: Transport): Promise<RequestOptions> => {
    const { baseUrl, credential } = await settings()
    return {
      transport,
      tokens: await tokens(),
      baseUrl,
      clock,
      // Only a user can sign in with MFA. With this header, the response says whether this sign-in did.
      ...(credential === 'refresh-token' ? { extraHeaders: { validatemfa: 'true' } } : {}),
      onResponse: headers => {
        const said = headers.ismfacompliant?.toLowerCase()
        if (said !== undefined) mfaCompliant = said === 'true'
      },
    }
  }

  const request = lazy(async (): Promise<RequestPartnerCenter> => {
    const { createRequest } = await import('./partner-center/request.ts')
    return createRequest(await requestOptions(await transport()))
  })

  const credentialHealth = lazy(async (): Promise<(operation: OperationContext) => Promise<CredentialHealth>> => {
    const { readCredentialHealth } = await import('./credentials/credential-health.ts')
    const present = await credential()
    return operation => readCredentialHealth(present, mfaCompliant, operation, clock)
  })

  const snapshots = lazy(async (): Promise<Snapshots> => {
    const [values, { createSnapshots }, clients, { createStore }, queues, { createTransport }] = await Promise.all([
      settings(),
      import('./snapshots/snapshots.ts'),
      import('./snapshots/storage/storage-clients.ts'),
      import('./snapshots/storage/store.ts'),
      import('./snapshots/storage/part-queue.ts'),
      import('./partner-center/transport.ts'),
    ])
    const { createAzureCredential } = await import('./credentials/azure-credential.ts')
    const signIn = (clientId = values.managedIdentityClientId) =>
      createAzureCredential({ ...values, managedIdentityClientId: clientId })
    const { container } = values.snapshots
    const [blobs, messages] = await Promise.all([
      clients.createContainerClient(values.snapshotStorage, container, signIn),
      clients.createQueueClient(values.hostStorage, queueName, signIn),
    ])
    return createSnapshots({
      store: createStore(blobs),
      queue: queues.createPartQueue(messages),
      request: await requestOptions(createTransport({ connections: values.concurrency })),
      settings: values,
      clock,
      readCredential: async operation => (await credentialHealth())(operation),
    })
  })

  const listCustomers = lazy(async (): Promise<ListCustomers> => {
    const [{ baseUrl }, { createListCustomers }] = await Promise.all([
      settings(),
      import('./customers/customer-list.ts'),
    ])
    return createListCustomers({ request: await request(), share, baseUrl, clock })
  })

  return {
    clock,
    share,
    settings,
    credential,
    renewCredential: lazy(async () => {
      const { createRenewal } = await import('./credentials/renewal.ts')
      return createRenewal({ ...(await credentialParts()), credential: await credential() })
    }),
    startSignIn: lazy(async () => {
      const { createStartSignIn } = await import('./credentials/sign-in.ts')
      return createStartSignIn(await credentialParts())
    }),
    credentialHealth,
    reachability: lazy(async () => {
      const { createReachability } = await import('./partner-center/reachability.ts')
      return createReachability(await request(), clock)
    }),
    readOrders: lazy(async () => {
      const [{ baseUrl }, { createReadOrders }] = await Promise.all([settings(), import('./orders/read-orders.ts')])
      return createReadOrders({ request: await request(), share, baseUrl, clock })
    }),
    readOrder: lazy(async () => {
      const [{ baseUrl }, { createReadOrder }] = await Promise.all([settings(), import('./orders/read-order.ts')])
      return createReadOrder({ request: await request(), share, baseUrl, clock })
    }),
    listCustomers,
    lookUpCustomers: lazy(async () => {
      const { createLookUpCustomers } = await import('./customers/look-up-customers.ts')
      return createLookUpCustomers({ request: await request(), listCustomers: await listCustomers() })
    }),
    snapshots,
  }
}

let app: App | undefined

/** The app of this worker process. */
export const getApp = (): App => {
  app ??= createApp()
  return app
}
