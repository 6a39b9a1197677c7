import { ManagedIdentityCredential } from '@azure/identity'
import { SecretClient } from '@azure/keyvault-secrets'
import { ConfidentialClientApplication } from '@azure/msal-node'
import { Agent } from 'undici'
import { createClient } from './partner-client.ts'

/**
 * The minimum code that reads one customer's orders with the same SDKs: without functions, their library and checks.
 */
const [customer = ''] = process.argv.slice(2)
const { env } = process
const { getToken } = createClient({ SecretClient, ConfidentialClientApplication }, new ManagedIdentityCredential())
const response = await new Agent().request({
  origin: env.PARTNER_CENTER_BASE_URL ?? '',
  path: `/v1/customers/${customer}/orders`,
  method: 'GET',
  headers: { authorization: `Bearer ${await getToken()}` },
})
await response.body.bytes()
if (response.statusCode !== 200) throw new Error(`Partner Center returned ${response.statusCode}`)
const { user, system } = process.cpuUsage()
console.log(JSON.stringify({ ms: performance.now(), cpuMs: (user + system) / 1000 }))
process.exit(0)
