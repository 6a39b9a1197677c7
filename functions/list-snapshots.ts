import { app } from '@azure/functions'
import { respond } from '../shared/http/responses/response.ts'
import { route } from '../shared/http/route/route.ts'

/** `GET snapshots`: the runs, newest first. */
export const listSnapshots = route({
  parameters: module => module.snapshots,
  handle: async ({ top, cursor }, { app, request }) => {
    const [{ status }, { snapshotsBody, toBefore }] = await Promise.all([
      app.snapshots(),
      import('../shared/http/responses/snapshot-responses.ts'),
    ])
    const { runs, hasMore } = await status.list(top, toBefore(cursor))
    return respond(snapshotsBody(runs, hasMore, request))
  },
})

app.http('list-snapshots', { methods: ['GET'], authLevel: 'function', route: 'snapshots', handler: listSnapshots })
