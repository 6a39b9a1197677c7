import { app } from '@azure/functions'
import { route } from '../shared/http/route.ts'

/** `GET customers/{customerTenantId}/orders/{orderId}`: one order, with its provisioning status if asked for. */
export const getCustomerOrder = route({
  parameters: module => module.customerOrder,
  modules: () => import('../shared/http/orders-answer.ts'),
  handle: async ({ expand, ...query }, { app, call, request }, { orderAnswer }) => {
    const readOrder = await app.readOrder()
    const order = await readOrder({ ...query, withProvisioningStatus: expand !== undefined }, call)
    return orderAnswer(order, request.headers.get('if-none-match'))
  },
})

app.http('get-customer-order', {
  methods: ['GET'],
  authLevel: 'function',
  route: 'customers/{customerTenantId}/orders/{orderId}',
  handler: getCustomerOrder,
})
