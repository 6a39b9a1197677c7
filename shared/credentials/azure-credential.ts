import { AsyncLocalStorage } from 'node:async_hooks'
import type { ManagedIdentityCredentialClientIdOptions, TokenCredential } from '@azure/identity'
import { createAzureHttpClient } from '../azure-http.ts'

export type AzureIdentity = {
  /** True on the platform: only its managed identity is asked, without probing for others. */
  inAzure: boolean
  /** Client id of a user-assigned identity. */
  managedIdentityClientId?: string | undefined
  /** Where tokens for Partner Center come from; the SDK reads the same setting by itself. */
  authority: string
}

/**
 * Who this app is towards Azure's own resources: the managed identity on the platform; elsewhere the developer's
 * environment variables, then whoever signed in with the Azure CLI, the Azure Developer CLI or Azure PowerShell.
 */
export async function createAzureCredential({
  inAzure,
  managedIdentityClientId,
  authority,
}: AzureIdentity): Promise<TokenCredential> {
  const identity = await import('@azure/identity')
  // The SDK throws at an AZURE_AUTHORITY_HOST that is not https, which ours may be on loopback.
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

/** The metadata service of virtual machines, which the SDK asks where no endpoint is set: then there is no identity. */
const metadataHost = '169.254.169.254'

type Identity = typeof import('@azure/identity')

/**
 * The managed identity of the platform. Of all that its endpoint can do, only 400 says that there is no such identity;
 * whatever else comes instead of a token is an outage, which the SDK's own errors do not tell apart.
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

/** What came of the last request of a sign-in. Not kept by credential, since MSAL asks through the client of the first. */
const attempts = new AsyncLocalStorage<{ outage: boolean }>()

/** The endpoint of the managed identity is down, slow or broken. */
class IdentityOutage extends Error {
  override readonly name = 'IdentityOutage'

  constructor(cause: unknown) {
    super('The managed identity endpoint gave no usable response', { cause })
  }
}

/** True if signing in failed because the endpoint of the identity is down, not because there is no identity. */
export function isIdentityOutage(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof IdentityOutage) return true
  }
  return false
}
