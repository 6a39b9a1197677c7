import { app } from '@azure/functions'
import { respond } from '../shared/http/responses/response.ts'
import { route } from '../shared/http/route/route.ts'

/** `GET order-changes`: orders created, updated or removed since a cursor. Without a cursor, a new cursor for now. */
export const pollOrderChanges = route({
  parameters: module => module.orderChanges,
  handle: async ({ top, cursor, kind, customerTenantId }, { app, operation }) => {
    const filter = { customerTenantId, kind }
    const [{ changes }, { changesBody, readPosition, toExpired }] = await Promise.all([
      app.snapshots(),
      import('../shared/http/responses/changes-response.ts'),
    ])
    if (cursor === undefined) return respond(changesBody([], await changes.end(), filter))
    const page = await changes.read(readPosition(cursor, filter), filter, top, operation)
    if (page === undefined) throw toExpired(await changes.end(), filter)
    return respond(changesBody(page.changes, page.next, filter))
  },
})

app.http('poll-order-changes', {
  methods: ['GET'],
  authLevel: 'function',
  route: 'order-changes',
  handler: pollOrderChanges,
})
