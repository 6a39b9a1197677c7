import type { TokenCredential } from '@azure/identity'
import type { SecretClient } from '@azure/keyvault-secrets'
import type { ConfidentialClientApplication } from '@azure/msal-node'

type Sdks = { SecretClient: typeof SecretClient; ConfidentialClientApplication: typeof ConfidentialClientApplication }

/**
 * Gets a token for Partner Center as the documentation of the SDKs shows: the secret from the vault, then client
 * credentials.
 */
export function createClient(
  { SecretClient, ConfidentialClientApplication }: Sdks,
  credential: TokenCredential,
): { getToken: () => Promise<string> } {
  const { env } = process
  const tenant = `${env.AZURE_AUTHORITY_HOST}/${env.PARTNER_CENTER_TENANT_ID}`
  let token: { value: string; expiresOn: number } | undefined
  return {
    async getToken() {
      if (token !== undefined && token.expiresOn > Date.now()) return token.value
      const vault = new SecretClient(env.KEY_VAULT_URI ?? '', credential, {
        disableChallengeResourceVerification: true,
      })
      const { value: clientSecret = '' } = await vault.getSecret('partner-center-client-secret')
      const client = new ConfidentialClientApplication({
        auth: {
          clientId: env.PARTNER_CENTER_CLIENT_ID ?? '',
          clientSecret,
          authority: tenant,
          // Avoids the discovery, which the simulator does not have.
          knownAuthorities: [new URL(tenant).host],
          authorityMetadata: JSON.stringify({
            issuer: `${tenant}/v2.0`,
            authorization_endpoint: `${tenant}/oauth2/v2.0/authorize`,
            token_endpoint: `${tenant}/oauth2/v2.0/token`,
            jwks_uri: `${tenant}/discovery/v2.0/keys`,
          }),
        },
      })
      const result = await client.acquireTokenByClientCredential({
        scopes: ['https://api.partnercenter.microsoft.com/.default'],
      })
      token = { value: result?.accessToken ?? '', expiresOn: (result?.expiresOn?.getTime() ?? 0) - 300_000 }
      return token.value
    },
  }
}
