import type { TokenCredential } from '@azure/identity'

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
    return new identity.ManagedIdentityCredential({ ...options, ...clientId })
  }
  return new identity.ChainedTokenCredential(
    new identity.EnvironmentCredential(options),
    new identity.AzureCliCredential(options),
    new identity.AzureDeveloperCliCredential(options),
    new identity.AzurePowerShellCredential(options),
  )
}

const networkCodes = /^(ECONN|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EPIPE|EHOSTUNREACH|ENETUNREACH|UND_ERR)/

type Failure = { status?: unknown; statusCode?: unknown; code?: unknown; errorCode?: unknown }

/** True if signing in failed because the endpoint of the identity is down, not because there is no identity. */
export function isIdentityOutage(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const { status, statusCode, code, errorCode } = at as Failure
    const answered = Number(status ?? statusCode)
    // `network_error` is MSAL's word for whatever went wrong below HTTP.
    if (answered >= 500 || answered === 429 || errorCode === 'network_error' || networkCodes.test(String(code)))
      return true
  }
  return false
}
