import { app } from '@azure/functions'
import { route } from '../shared/http/route.ts'

/** `GET|POST customers/{customerTenantId}/orders`: every order of a customer in Partner Center's own collection shape. */
export const getCustomerOrders = route({
  parameters: module => module.customerOrders,
  modules: () =>
    Promise.all([
      import('../shared/http/orders-source.ts'),
      import('../shared/orders/select-orders.ts'),
      import('../shared/http/orders-answer.ts'),
      import('../shared/http/answer.ts'),
    ]),
  handle: async (input, { app, call, request }, modules) => {
    const [{ readOrdersFrom }, { selectOrders }, { collectionAnswer }, { ifNoneMatchOf }] = modules
    const { orders, envelope, provenance } = await readOrdersFrom(app, input, call)
    return collectionAnswer(selectOrders(orders, input), envelope, provenance, ifNoneMatchOf(request))
  },
})

app.http('get-customer-orders', {
  methods: ['GET', 'POST'],
  authLevel: 'function',
  route: 'customers/{customerTenantId}/orders',
  handler: getCustomerOrders,
})
