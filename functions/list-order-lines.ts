import { app } from '@azure/functions'
import { route } from '../shared/http/route.ts'

/** `GET customers/{customerTenantId}/order-lines`: one flat row per order line, in pages or as one CSV file. */
export const listOrderLines = route({
  parameters: module => module.orderLines,
  handle: async (input, { app, call, request }) => {
    const [readOrders, { selectOrders }, { orderLinesAnswer }, { live }] = await Promise.all([
      app.readOrders(),
      import('../shared/orders/select-orders.ts'),
      import('../shared/http/order-lines-answer.ts'),
      import('../shared/http/orders-answer.ts'),
    ])
    const result = await readOrders(input, call)
    return orderLinesAnswer(selectOrders(result.orders, input), live(result), input, request)
  },
})

app.http('list-order-lines', {
  methods: ['GET'],
  authLevel: 'function',
  route: 'customers/{customerTenantId}/order-lines',
  handler: listOrderLines,
})
