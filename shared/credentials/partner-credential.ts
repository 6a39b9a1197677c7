import type { TokenCredential } from '@azure/identity'
import type { AuthenticationResult, ConfidentialClientApplication } from '@azure/msal-node'
import { AppError, isAppError, isCredentialFailure } from '../errors.ts'
import type { Clock } from '../runtime/clock.ts'
import type { OperationContext } from '../runtime/operation.ts'
import type { CredentialKind, Settings } from '../settings.ts'
import type { AccessToken, Authority, ClientProof } from './authority.ts'
import { isIdentityOutage } from './azure-credential.ts'
import { readCertificate } from './certificate.ts'
import type { Secrets } from './secrets.ts'

/** A secret or certificate that the credential uses. */
export type CredentialSecret = {
  /** Its name in Key Vault. */
  name: string
  createdAt?: number
  /** Milliseconds since 1970 UTC. Undefined if neither the vault nor the certificate states it. */
  expiresAt?: number
  /** When the refresh token was last renewed, from its tag. */
  renewedAt?: string
}

export type PartnerCredential = {
  kind: CredentialKind
  /** Gets a new access token for Partner Center. */
  acquire: (operation: OperationContext) => Promise<AccessToken>
  /** Reads and checks the secrets of the credential without signing in. `fresh` bypasses the cache. */
  inspect: (operation: OperationContext, fresh?: boolean) => Promise<CredentialSecret[]>
  /** Redeems the refresh token and returns the newer one. Only for `refresh-token`. */
  redeem: (operation: OperationContext) => Promise<string>
}

type Options = {
  settings: Settings
  authority: Authority
  secrets: Secrets
  /** Signs the assertion of the `federated` credential: the managed identity of the app. */
  identity: () => Promise<TokenCredential>
  clock: Clock
}

/** Audience of the assertion that a federated credential trusts (learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity). */
const exchangeAudience = 'api://AzureADTokenExchange'

/** How a kind of credential signs in, and which secrets it reads. */
type SignInMethod = {
  proof: (operation: OperationContext, fresh: boolean) => Promise<ClientProof>
  ask: (
    client: ConfidentialClientApplication,
    operation: OperationContext,
    fresh: boolean,
  ) => Promise<AuthenticationResult | null>
  inspect: (operation: OperationContext, fresh: boolean) => Promise<CredentialSecret[]>
}

/** The credential that `PARTNER_CENTER_CREDENTIAL` names. */
export function createPartnerCredential({ settings, authority, secrets, identity, clock }: Options): PartnerCredential {
  const { clientSecret, certificate, refreshToken } = settings.secretNames

  const readSecret = (name: string, operation: OperationContext, fresh: boolean) =>
    secrets.read(name, operation, { fresh })
  const inspectSecret = async (
    name: string,
    operation: OperationContext,
    fresh: boolean,
  ): Promise<CredentialSecret> => {
    const { createdAt, expiresAt, tags } = await readSecret(name, operation, fresh)
    const { renewedAt } = tags
    return {
      name,
      ...(createdAt === undefined ? {} : { createdAt }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(renewedAt === undefined ? {} : { renewedAt }),
    }
  }
  const askAsApp: SignInMethod['ask'] = client =>
    client.acquireTokenByClientCredential({ scopes: [`${settings.audience}/.default`], skipCache: true })
  const proveBySecret: SignInMethod['proof'] = async (operation, fresh) => ({
    clientSecret: (await readSecret(clientSecret, operation, fresh)).value,
  })

  const methods: Record<CredentialKind, SignInMethod> = {
    secret: {
      proof: proveBySecret,
      ask: askAsApp,
      inspect: async (operation, fresh) => [await inspectSecret(clientSecret, operation, fresh)],
    },
    certificate: {
      proof: async (operation, fresh) =>
        (await readCertificate(await readSecret(certificate, operation, fresh), clock.now())).proof,
      ask: askAsApp,
      inspect: async (operation, fresh) => {
        const { expiresAt } = await readCertificate(await readSecret(certificate, operation, fresh), clock.now())
        return [{ ...(await inspectSecret(certificate, operation, false)), expiresAt }]
      },
    },
    federated: {
      proof: async () => ({ clientAssertion: () => signAssertion(identity) }),
      ask: askAsApp,
      inspect: async () => [],
    },
    'refresh-token': {
      proof: proveBySecret,
      ask: async (client, operation, fresh) =>
        client.acquireTokenByRefreshToken({
          refreshToken: (await readSecret(refreshToken, operation, fresh)).value,
          scopes: [`${settings.audience}/user_impersonation`],
        }),
      inspect: (operation, fresh) =>
        Promise.all([inspectSecret(clientSecret, operation, fresh), inspectSecret(refreshToken, operation, fresh)]),
    },
  }
  const method = methods[settings.credential]

  const exchange = (operation: OperationContext) =>
    retryWithFreshSecrets(async fresh =>
      authority.exchange(await method.proof(operation, fresh), operation, client =>
        method.ask(client, operation, fresh),
      ),
    )

  return {
    kind: settings.credential,
    async acquire(operation) {
      const { result, expiresInSeconds } = await exchange(operation)
      return { token: result.accessToken, expiresAt: clock.now() + expiresInSeconds * 1000 }
    },
    inspect: (operation, fresh = false) => method.inspect(operation, fresh),
    async redeem(operation) {
      const { refreshToken: newer } = await exchange(operation)
      if (newer === undefined) {
        throw new AppError(
          'credential_rejected',
          'Entra ID returned no newer refresh token. Run `npm run consent` again.',
        )
      }
      return newer
    },
  }
}

/** A rejected secret may be an old one from the cache. So the vault is read once more. */
async function retryWithFreshSecrets<T>(acquire: (fresh: boolean) => Promise<T>): Promise<T> {
  try {
    return await acquire(false)
  } catch (error) {
    if (!isAppError(error) || !isCredentialFailure(error) || error.code === 'key_vault_refused') throw error
    return acquire(true)
  }
}

async function signAssertion(identity: () => Promise<TokenCredential>): Promise<string> {
  try {
    const token = await (await identity()).getToken(`${exchangeAudience}/.default`)
    if (token !== null) return token.token
  } catch (error) {
    throw isAppError(error) ? error : assertionFailure(error)
  }
  throw assertionFailure(undefined)
}

function assertionFailure(cause: unknown): AppError {
  if (isIdentityOutage(cause)) {
    return new AppError(
      'authority_unavailable',
      'The managed identity endpoint cannot be reached. Try again in 30 seconds.',
      {
        retryAfterSeconds: 30,
        cause,
      },
    )
  }
  return new AppError(
    'credential_rejected',
    'The managed identity of the app cannot sign in. Assign an identity to the app, and set AZURE_CLIENT_ID if it is user-assigned. Use `federated` only in Azure.',
    { cause },
  )
}
