import { app } from '@azure/functions'
import { Agent } from 'undici'
import { environment } from '../../shared/settings.ts'

const agent = new Agent({ connections: 64, allowH2: false })
const upstream = environment().PARTNER_CENTER_BASE_URL ?? ''

/** The minimum work of a proxy: one upstream request, and its body unchanged. */
app.http('pass-through', {
  methods: ['GET'],
  authLevel: 'function',
  route: 'pass-through/{customerTenantId}/orders',
  handler: async request => {
    const path = `/v1/customers/${request.params.customerTenantId}/orders`
    const response = await agent.request({ origin: upstream, path, method: 'GET' })
    return {
      status: response.statusCode,
      headers: { 'content-type': 'application/json' },
      body: await response.body.bytes(),
    }
  },
})
