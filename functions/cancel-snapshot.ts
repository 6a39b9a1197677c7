import { app } from '@azure/functions'
import { answer } from '../shared/http/answer.ts'
import { route } from '../shared/http/route.ts'

/** `POST snapshots/{snapshotId}/cancel`: ends a run. `get-snapshot` says when it has ended. */
export const cancelSnapshot = route({
  parameters: module => module.snapshot,
  handle: async ({ snapshotId }, { app, call }) => {
    const { cancel } = await app.snapshots()
    await cancel(snapshotId, call)
    return answer(JSON.stringify({ snapshotId, status: 'running' }), { status: 202 })
  },
})

app.http('cancel-snapshot', {
  methods: ['POST'],
  authLevel: 'function',
  route: 'snapshots/{snapshotId}/cancel',
  handler: cancelSnapshot,
})
