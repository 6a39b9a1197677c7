import { app } from '@azure/functions'
import { route } from '../shared/http/route.ts'

/** `GET customers/{customerTenantId}/orders/{orderId}`: one order, with its provisioning status if asked for. */
export const getCustomerOrder = route({
  parameters: module => module.customerOrder,
  handle: async ({ expand, ...query }, { app, call, request }) => {
    const [readOrder, { orderAnswer }] = await Promise.all([app.readOrder(), import('../shared/http/orders-answer.ts')])
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
