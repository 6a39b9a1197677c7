import { AsyncLocalStorage } from 'node:async_hooks'
import type { ManagedIdentityCredentialClientIdOptions, TokenCredential } from '@azure/identity'
import { createAzureHttpClient } from '../runtime/azure-http.ts'

type AzureIdentity = {
  /** True in Azure: the app uses its managed identity and tries no other credential. */
  inAzure: boolean
  /** Client id of a user-assigned identity. */
  managedIdentityClientId?: string | undefined
  /** Host that issues tokens for Partner Center. The SDK reads the same setting from the environment. */
  authority: string
}

/**
 * The app's credential for Azure resources. In Azure it is the managed identity. Elsewhere it is the developer's
 * environment variables, then the sign-in of the Azure CLI, the Azure Developer CLI or Azure PowerShell.
 */
export async function createAzureCredential({
  inAzure,
  managedIdentityClientId,
  authority,
}: AzureIdentity): Promise<TokenCredential> {
  const identity = await import('@azure/identity')
  // The SDK rejects an AZURE_AUTHORITY_HOST that is not https. On loopback this app allows http.
  const options = authority.startsWith('http:') ? { authorityHost: authority.replace('http:', 'https:') } : {}
  if (inAzure) {
    const clientId = managedIdentityClientId === undefined ? {} : { clientId: managedIdentityClientId }
    return createManagedIdentity(identity, { ...options, ...clientId })
  }
  return new identity.ChainedTokenCredential(
    new identity.EnvironmentCredential(options),
    new identity.AzureCliCredential(options),
    new identity.AzureDeveloperCliCredential(options),
    new identity.AzurePowerShellCredential(options),
  )
}

/** The metadata service of virtual machines. The SDK calls it where no endpoint is set, and then there is no identity. */
const metadataHost = '169.254.169.254'

type Identity = typeof import('@azure/identity')

/**
 * The managed identity in Azure. A 400 of its endpoint means that there is no such identity. Any other failure is an
 * outage. The errors of the SDK do not distinguish the two.
 */
async function createManagedIdentity(
  { ManagedIdentityCredential }: Identity,
  options: ManagedIdentityCredentialClientIdOptions,
): Promise<TokenCredential> {
  const httpClient = await createAzureHttpClient(({ url }, status) => {
    const attempt = attempts.getStore()
    if (attempt === undefined) return
    attempt.outage = status === undefined ? new URL(url).hostname !== metadataHost : status !== 400
  })
  const credential = new ManagedIdentityCredential({ ...options, httpClient })
  return {
    async getToken(scopes, tokenOptions) {
      const attempt = { outage: false }
      try {
        return await attempts.run(attempt, () => credential.getToken(scopes, tokenOptions))
      } catch (error) {
        throw attempt.outage ? new IdentityOutage(error) : error
      }
    },
  }
}

/**
 * The outcome of the last request of a sign-in. It is not stored per credential, because MSAL keeps the first HTTP
 * client.
 */
const attempts = new AsyncLocalStorage<{ outage: boolean }>()

/** The endpoint of the managed identity is down or slow, or sends unusable responses. */
class IdentityOutage extends Error {
  override readonly name = 'IdentityOutage'

  constructor(cause: unknown) {
    super('The managed identity endpoint sent no usable response', { cause })
  }
}

/** True if a sign-in failed because the endpoint of the identity is down, not because there is no identity. */
export function isIdentityOutage(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof IdentityOutage) return true
  }
  return false
}
