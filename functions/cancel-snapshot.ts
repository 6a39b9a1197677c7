import { app } from '@azure/functions'
import { respond } from '../shared/http/responses/response.ts'
import { route } from '../shared/http/route/route.ts'

/**
 * `POST snapshots/{snapshotId}/cancel`: cancels a run. The caller polls `get-snapshot` to see when the run has ended.
 */
export const cancelSnapshot = route({
  parameters: module => module.snapshot,
  handle: async ({ snapshotId }, { app, operation }) => {
    const { cancel } = await app.snapshots()
    await cancel(snapshotId, operation)
    return respond(JSON.stringify({ snapshotId, status: 'running' }), { status: 202 })
  },
})

app.http('cancel-snapshot', {
  methods: ['POST'],
  authLevel: 'function',
  route: 'snapshots/{snapshotId}/cancel',
  handler: cancelSnapshot,
})
