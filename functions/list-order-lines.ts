import { app } from '@azure/functions'
import { route } from '../shared/http/route.ts'

/** `GET customers/{customerTenantId}/order-lines`: one flat row per order line, in pages or as one CSV file. */
export const listOrderLines = route({
  parameters: module => module.orderLines,
  modules: () =>
    Promise.all([
      import('../shared/http/orders-source.ts'),
      import('../shared/orders/select-orders.ts'),
      import('../shared/http/order-lines-answer.ts'),
    ]),
  handle: async (input, { app, call, request }, [{ readOrdersFrom }, { selectOrders }, { openOrderLines }]) => {
    const answerLines = openOrderLines(input, request)
    const { orders, ...source } = await readOrdersFrom(app, input, call)
    return answerLines(selectOrders(orders, input), source)
  },
})

app.http('list-order-lines', {
  methods: ['GET'],
  authLevel: 'function',
  route: 'customers/{customerTenantId}/order-lines',
  handler: listOrderLines,
})
