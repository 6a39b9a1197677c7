import { app } from '@azure/functions'
import { route } from '../shared/http/route/route.ts'

/** `GET customers/{customerTenantId}/orders/{orderId}`: one order, on request with its provisioning status. */
export const getCustomerOrder = route({
  parameters: module => module.customerOrder,
  modules: () => import('../shared/http/responses/orders-response.ts'),
  handle: async ({ expand, ...query }, { app, operation, request }, { orderResponse }) => {
    const { readOrder } = await app.readers()
    const order = await readOrder({ ...query, withProvisioningStatus: expand !== undefined }, operation)
    return orderResponse(order, request.headers.get('if-none-match'))
  },
})

app.http('get-customer-order', {
  methods: ['GET'],
  authLevel: 'function',
  route: 'customers/{customerTenantId}/orders/{orderId}',
  handler: getCustomerOrder,
})
