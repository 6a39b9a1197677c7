import { app } from '@azure/functions'
import { route } from '../shared/http/route/route.ts'

/** `GET order-lines`: the order lines of all customers from a snapshot, in pages of JSON or CSV. */
export const listAllOrderLines = route({
  parameters: module => module.allOrderLines,
  handle: async (input, { app, operation, request }) => {
    const [{ readRun }, { respondWithAllOrderLines }] = await Promise.all([
      app.snapshots(),
      import('../shared/http/responses/all-order-lines-response.ts'),
    ])
    return respondWithAllOrderLines(input, { readRun, request, clock: app.clock, operation })
  },
})

app.http('list-all-order-lines', {
  methods: ['GET'],
  authLevel: 'function',
  route: 'order-lines',
  handler: listAllOrderLines,
})
