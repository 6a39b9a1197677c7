import type { TokenCredential } from '@azure/identity'
import { type Authority, createAuthority } from './credentials/authority.ts'
import { createAzureCredential } from './credentials/azure-credential.ts'
import { type CredentialHealth, readCredentialHealth } from './credentials/credential-health.ts'
import { createPartnerCredential, type PartnerCredential } from './credentials/partner-credential.ts'
import { createRenewal, warnOfExpiry } from './credentials/renewal.ts'
import { createSecrets } from './credentials/secrets.ts'
import { createStartSignIn, type StartSignIn } from './credentials/sign-in.ts'
import { createTokenSource } from './credentials/token-source.ts'
import { createListCustomers, type ListCustomers } from './customers/customer-list.ts'
import { createLookUpCustomers, type LookUpCustomers } from './customers/look-up-customers.ts'
import { createReadOrder, type ReadOrder } from './orders/read-order.ts'
import { createReadOrders, type ReadOrders } from './orders/read-orders.ts'
import { createReachability, type Reachability } from './partner-center/reachability.ts'
import { createRequest, type RequestOptions } from './partner-center/request.ts'
import { createTransport } from './partner-center/transport.ts'
import type { Clock } from './runtime/clock.ts'
import { lazy } from './runtime/lazy.ts'
import type { OperationContext } from './runtime/operation.ts'
import type { ShareCall } from './runtime/shared-calls.ts'
import type { Settings } from './settings.ts'

/** What reads Partner Center, and the credential that it uses. */
export type Readers = {
  credential: PartnerCredential
  /** Reads the secrets of the credential, and logs those that expire soon. */
  checkCredential: (operation: OperationContext) => Promise<void>
  renewCredential: (operation: OperationContext) => Promise<void>
  startSignIn: StartSignIn
  credentialHealth: (operation: OperationContext) => Promise<CredentialHealth>
  reachability: (operation: OperationContext) => Promise<Reachability>
  readOrders: ReadOrders
  readOrder: ReadOrder
  listCustomers: ListCustomers
  lookUpCustomers: LookUpCustomers
  /** Options of a client with as many connections of its own. */
  requestOptions: (connections: number) => RequestOptions
  /** Signs the app in to Azure. `clientId` names a user-assigned identity. */
  signIn: (clientId?: string) => Promise<TokenCredential>
}

type Options = { settings: Settings; clock: Clock; share: ShareCall }

/** HTTP reads have their own connections, so that a snapshot does not delay a caller. */
const httpConnections = 64

/**
 * Wires what reads Partner Center. It is one dynamic import, because each file of the bundle takes almost a millisecond
 * at a cold start. The SDKs of identity, Key Vault and MSAL are loaded when they are first used.
 */
export function createReaders({ settings, clock, share }: Options): Readers {
  const { baseUrl } = settings
  let mfaCompliant: boolean | undefined

  const signIn = (clientId = settings.managedIdentityClientId): Promise<TokenCredential> =>
    createAzureCredential({ ...settings, managedIdentityClientId: clientId })
  const identity = lazy(() => signIn())
  const transport = createTransport({ connections: httpConnections })
  const secrets = createSecrets({ vaultUri: settings.keyVaultUri ?? '', credential: identity, clock, share })
  const authority: Authority = createAuthority({
    authority: settings.authority,
    tenantId: settings.partnerTenantId,
    clientId: settings.clientId,
    transport,
    clock,
  })
  const parts = { settings, authority, secrets, clock }
  const credential = createPartnerCredential({ ...parts, identity })
  const tokens = createTokenSource({ acquire: credential.acquire, clock, share })

  const requestWith = (ownTransport: RequestOptions['transport']): RequestOptions => ({
    transport: ownTransport,
    tokens,
    baseUrl,
    clock,
    // Only a user can sign in with MFA. With this header, the response says whether this sign-in did.
    ...(settings.credential === 'refresh-token' ? { extraHeaders: { validatemfa: 'true' } } : {}),
    onResponse: headers => {
      const said = headers.ismfacompliant?.toLowerCase()
      if (said !== undefined) mfaCompliant = said === 'true'
    },
  })
  const request = createRequest(requestWith(transport))
  const reading = { request, share, baseUrl, clock }
  const listCustomers = createListCustomers(reading)

  return {
    credential,
    async checkCredential(operation) {
      warnOfExpiry(await credential.inspect(operation), operation, clock.now())
    },
    renewCredential: createRenewal({ ...parts, credential }),
    startSignIn: createStartSignIn(parts),
    credentialHealth: operation => readCredentialHealth(credential, mfaCompliant, operation, clock),
    reachability: createReachability(request, clock),
    readOrders: createReadOrders(reading),
    readOrder: createReadOrder(reading),
    listCustomers,
    lookUpCustomers: createLookUpCustomers({ request, listCustomers }),
    requestOptions: connections => requestWith(createTransport({ connections })),
    signIn,
  }
}
