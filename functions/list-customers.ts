import { app } from '@azure/functions'
import { respond } from '../shared/http/responses/response.ts'
import { route } from '../shared/http/route/route.ts'

/** `GET customers`: the partner's customers, sorted by name. */
export const listCustomers = route({
  parameters: module => module.customers,
  modules: () => import('../shared/http/paging/paging.ts'),
  handle: async (input, { app, operation, request }, { preparePage }) => {
    const { listCustomers } = await app.readers()
    const takePage = preparePage(input, { function: 'list-customers', search: input.search }, request)
    const customers = await listCustomers(input.search, operation)
    const { from, to, ...links } = takePage({
      length: customers.length,
      prefix: count => customers.slice(0, count).map(row => JSON.stringify(row)),
    })
    return respond(JSON.stringify({ value: customers.slice(from, to), ...links }))
  },
})

app.http('list-customers', { methods: ['GET'], authLevel: 'function', route: 'customers', handler: listCustomers })
