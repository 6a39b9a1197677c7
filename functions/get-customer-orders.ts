import { app } from '@azure/functions'
import { route } from '../shared/http/route.ts'

/** `GET|POST customers/{customerTenantId}/orders`: every order of a customer in Partner Center's own collection shape. */
export const getCustomerOrders = route({
  parameters: module => module.customerOrders,
  handle: async (input, { app, call, request }) => {
    const [readOrders, { selectOrders }, { collectionAnswer, live }] = await Promise.all([
      app.readOrders(),
      import('../shared/orders/select-orders.ts'),
      import('../shared/http/orders-answer.ts'),
    ])
    const result = await readOrders(input, call)
    const orders = selectOrders(result.orders, input)
    return collectionAnswer(orders, result.envelope, live(result), request.headers.get('if-none-match'))
  },
})

app.http('get-customer-orders', {
  methods: ['GET', 'POST'],
  authLevel: 'function',
  route: 'customers/{customerTenantId}/orders',
  handler: getCustomerOrders,
})
