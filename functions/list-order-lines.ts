import { app } from '@azure/functions'
import { route } from '../shared/http/route/route.ts'

/** `GET customers/{customerTenantId}/order-lines`: one flat row per order line, in pages or as one CSV file. */
export const listOrderLines = route({
  parameters: module => module.orderLines,
  modules: () =>
    Promise.all([
      import('../shared/http/responses/orders-source.ts'),
      import('../shared/orders/select-orders.ts'),
      import('../shared/http/responses/order-lines-response.ts'),
    ]),
  handle: async (input, { app, operation, request }, [{ readOrdersFrom }, { selectOrders }, { prepareOrderLines }]) => {
    const respondWithLines = prepareOrderLines(input, request)
    const { orders, ...source } = await readOrdersFrom(app, input, operation)
    return respondWithLines(selectOrders(orders, input), source)
  },
})

app.http('list-order-lines', {
  methods: ['GET'],
  authLevel: 'function',
  route: 'customers/{customerTenantId}/order-lines',
  handler: listOrderLines,
})
