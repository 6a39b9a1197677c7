import { type Clock, systemClock } from './clock.ts'
import type { ReadOrders } from './orders/read-orders.ts'
import type { RequestPartnerCenter, TokenSource } from './partner-center/request.ts'
import type { Transport } from './partner-center/transport.ts'
import { type Environment, environment, readSettings, type Settings } from './settings.ts'
import { createShareCall } from './shared-calls.ts'

/** Everything a function needs, each part built when it is first asked for. */
export type App = {
  clock: Clock
  settings: () => Promise<Settings>
  readOrders: () => Promise<ReadOrders>
}

type AppOptions = { env?: Environment; overrides?: { clock?: Clock } }

/** HTTP reads have connections of their own, so that a snapshot never keeps a caller waiting. */
const httpConnections = 64

/** Builds once what `make` makes; a failed try is not kept. */
function lazy<T>(make: () => Promise<T>): () => Promise<T> {
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
 * them, so that a cold start pays only for what its first call touches.
 */
export function createApp({ env = environment(), overrides = {} }: AppOptions = {}): App {
  const clock = overrides.clock ?? systemClock
  const share = createShareCall()
  const settings = lazy(() => readSettings(env))

  const transport = lazy(async (): Promise<Transport> => {
    const { createTransport } = await import('./partner-center/transport.ts')
    return createTransport({ connections: httpConnections })
  })

  const tokens = lazy(async (): Promise<TokenSource> => {
    const [values, { createAuthority }, { createPartnerCredential }, { createTokenSource }] = await Promise.all([
      settings(),
      import('./credentials/authority.ts'),
      import('./credentials/partner-credential.ts'),
      import('./credentials/token-source.ts'),
    ])
    const authority = createAuthority({
      authority: values.authority,
      tenantId: values.partnerTenantId,
      clientId: values.clientId,
      transport: await transport(),
      clock,
    })
    const secrets = await readSecrets()
    const credential = createPartnerCredential({ settings: values, authority, secrets: () => secrets })
    return createTokenSource({ acquire: credential.acquire, clock, share })
  })

  const readSecrets = lazy(async () => {
    const [values, { createSecrets }, { createAzureCredential }] = await Promise.all([
      settings(),
      import('./credentials/secrets.ts'),
      import('./credentials/azure-credential.ts'),
    ])
    return createSecrets({
      vaultUri: values.keyVaultUri ?? '',
      credential: () => createAzureCredential(values),
      clock,
      share,
    })
  })

  const request = lazy(async (): Promise<RequestPartnerCenter> => {
    const [values, { createRequest }] = await Promise.all([settings(), import('./partner-center/request.ts')])
    return createRequest({ transport: await transport(), tokens: await tokens(), baseUrl: values.baseUrl, clock })
  })

  return {
    clock,
    settings,
    readOrders: lazy(async () => {
      const [values, { createReadOrders }] = await Promise.all([settings(), import('./orders/read-orders.ts')])
      return createReadOrders({ request: await request(), share, baseUrl: values.baseUrl, clock })
    }),
  }
}

let app: App | undefined

/** The app of this worker. */
export const getApp = (): App => {
  app ??= createApp()
  return app
}
