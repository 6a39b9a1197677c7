import { app } from '@azure/functions'
import { DefaultAzureCredential } from '@azure/identity'
import { SecretClient } from '@azure/keyvault-secrets'
import { ConfidentialClientApplication } from '@azure/msal-node'

/**
 * What a good engineer writes in an hour: the SDKs as their pages show them, `fetch`, `JSON.parse`, a filter, a sort and
 * `jsonBody`. No retries, deadlines, merged reads, bounds or conditional requests.
 */
const { env } = process
const upstream = env.PARTNER_CENTER_BASE_URL
const tenant = `${env.AZURE_AUTHORITY_HOST}/${env.PARTNER_CENTER_TENANT_ID}`

let token: { value: string; expiresOn: number } | undefined

async function getToken(): Promise<string> {
  if (token !== undefined && token.expiresOn > Date.now()) return token.value
  const vault = new SecretClient(env.KEY_VAULT_URI ?? '', new DefaultAzureCredential(), {
    disableChallengeResourceVerification: true,
  })
  const { value: clientSecret = '' } = await vault.getSecret('partner-center-client-secret')
  const client = new ConfidentialClientApplication({
    auth: {
      clientId: env.PARTNER_CENTER_CLIENT_ID ?? '',
      clientSecret,
      authority: tenant,
      // Saves the discovery, which the simulator does not offer.
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
}

type Order = { id: string; status?: string; creationDate: string }
type Collection = { totalCount: number; items: Order[] }

app.http('baseline-usual-way', {
  methods: ['GET'],
  authLevel: 'function',
  route: 'usual-way/{customerTenantId}/orders',
  handler: async (request, context) => {
    const { customerTenantId } = request.params
    const status = request.query.get('status')
    const response = await fetch(`${upstream}/v1/customers/${customerTenantId}/orders?include_system_purchases=true`, {
      headers: { authorization: `Bearer ${await getToken()}`, accept: 'application/json' },
    })
    if (!response.ok) return { status: 502, jsonBody: { error: `Partner Center answered ${response.status}` } }
    const collection = (await response.json()) as Collection
    const items = collection.items
      .filter(order => status === null || order.status === status)
      .sort((a, b) => a.creationDate.localeCompare(b.creationDate) || a.id.localeCompare(b.id))
    context.info(`${items.length} orders of ${customerTenantId}`)
    return { jsonBody: { ...collection, totalCount: items.length, items } }
  },
})
