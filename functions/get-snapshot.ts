import { app } from '@azure/functions'
import { respond } from '../shared/http/responses/response.ts'
import { route } from '../shared/http/route/route.ts'

/** `GET snapshots/{snapshotId}`: 202 while the run is in progress, then its manifest. A failed run returns an error. */
export const getSnapshot = route({
  parameters: module => module.snapshot,
  handle: async ({ snapshotId }, { app, operation, request }) => {
    const [{ status }, { statusHeaders }] = await Promise.all([
      app.snapshots(),
      import('../shared/http/responses/snapshot-responses.ts'),
    ])
    const found = await status.get(snapshotId, operation)
    if ('manifest' in found) return respond(JSON.stringify(found.manifest))
    return respond(JSON.stringify(found.running), { status: 202, headers: statusHeaders(request, snapshotId) })
  },
})

app.http('get-snapshot', {
  methods: ['GET'],
  authLevel: 'function',
  route: 'snapshots/{snapshotId}',
  handler: getSnapshot,
})
