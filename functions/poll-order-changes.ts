import { app } from '@azure/functions'
import { answer } from '../shared/http/answer.ts'
import { route } from '../shared/http/route.ts'

/**
 * `GET order-changes`: orders created, updated or gone since a cursor; without one, from now on. `order-changes/created`
 * and its like mean the same as `order-changes?kind=created`.
 */
export const pollOrderChanges = route({
  parameters: module => module.orderChanges,
  handle: async ({ top, cursor, only, kind = only, customerTenantId }, { app, call }) => {
    const filter = { customerTenantId, kind }
    const [{ changes }, { changesAnswer, readPosition, toExpired }] = await Promise.all([
      app.snapshots(),
      import('../shared/http/changes-answer.ts'),
    ])
    if (cursor === undefined) return answer(changesAnswer([], await changes.end(), filter))
    const page = await changes.read(readPosition(cursor, filter), filter, top, call)
    if (page === undefined) throw toExpired(await changes.end(), filter)
    return answer(changesAnswer(page.changes, page.next, filter))
  },
})

app.http('poll-order-changes', {
  methods: ['GET'],
  authLevel: 'function',
  route: 'order-changes/{only?}',
  handler: pollOrderChanges,
})
