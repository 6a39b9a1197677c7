import { app } from '@azure/functions'
import { route } from '../shared/http/route/route.ts'

/** `GET|POST customers/{customerTenantId}/orders`: every order of a customer in Partner Center's own collection shape. */
export const getCustomerOrders = route({
  parameters: module => module.customerOrders,
  modules: () =>
    Promise.all([
      import('../shared/http/responses/orders-source.ts'),
      import('../shared/orders/select-orders.ts'),
      import('../shared/http/responses/orders-response.ts'),
      import('../shared/http/responses/response.ts'),
    ]),
  handle: async (input, { app, operation, request }, modules) => {
    const [{ readOrdersFrom }, { selectOrders }, { collectionResponse }, { ifNoneMatchOf }] = modules
    const { orders, envelope, provenance } = await readOrdersFrom(app, input, operation)
    return collectionResponse(selectOrders(orders, input), envelope, provenance, ifNoneMatchOf(request))
  },
})

app.http('get-customer-orders', {
  methods: ['GET', 'POST'],
  authLevel: 'function',
  route: 'customers/{customerTenantId}/orders',
  handler: getCustomerOrders,
})
