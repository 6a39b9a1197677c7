import { app } from '@azure/functions'
import { DefaultAzureCredential } from '@azure/identity'
import { SecretClient } from '@azure/keyvault-secrets'
import { ConfidentialClientApplication } from '@azure/msal-node'
import { createClient } from './partner-client.ts'

/**
 * The code that a good engineer writes in an hour: the SDKs as documented, `fetch`, `JSON.parse`, a filter, a sort and
 * `jsonBody`. Without retries, deadlines, shared reads, limits or conditional requests.
 */
const upstream = process.env.PARTNER_CENTER_BASE_URL
const { getToken } = createClient({ SecretClient, ConfidentialClientApplication }, new DefaultAzureCredential())

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
    if (!response.ok) return { status: 502, jsonBody: { error: `Partner Center returned ${response.status}` } }
    const collection = (await response.json()) as Collection
    const items = collection.items
      .filter(order => status === null || order.status === status)
      .sort((a, b) => a.creationDate.localeCompare(b.creationDate) || a.id.localeCompare(b.id))
    context.info(`${items.length} orders of ${customerTenantId}`)
    return { jsonBody: { ...collection, totalCount: items.length, items } }
  },
})
