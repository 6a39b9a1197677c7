import { app } from '@azure/functions'
import { route } from '../shared/http/route.ts'

/** `GET order-lines`: the order lines of every customer from a snapshot, in pages of JSON or CSV. */
export const listAllOrderLines = route({
  parameters: module => module.allOrderLines,
  handle: async (input, { app, call, request }) => {
    const [{ readRun }, { answerAllOrderLines }] = await Promise.all([
      app.snapshots(),
      import('../shared/http/all-order-lines-answer.ts'),
    ])
    return answerAllOrderLines(input, { readRun, request, clock: app.clock, call })
  },
})

app.http('list-all-order-lines', {
  methods: ['GET'],
  authLevel: 'function',
  route: 'order-lines',
  handler: listAllOrderLines,
})
