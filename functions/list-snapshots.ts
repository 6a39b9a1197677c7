import { app } from '@azure/functions'
import { respond } from '../shared/http/responses/response.ts'
import { route } from '../shared/http/route/route.ts'

/** `GET snapshots`: the runs, newest first. */
export const listSnapshots = route({
  parameters: module => module.snapshots,
  modules: () => import('../shared/http/responses/snapshot-responses.ts'),
  handle: async ({ top, cursor }, { app, request }, { snapshotsBody, toBefore }) => {
    const { status } = await app.snapshots()
    const { runs, hasMore } = await status.list(top, toBefore(cursor))
    return respond(snapshotsBody(runs, hasMore, request))
  },
})

app.http('list-snapshots', { methods: ['GET'], authLevel: 'function', route: 'snapshots', handler: listSnapshots })
