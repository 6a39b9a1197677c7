import { app } from '@azure/functions'
import { answer } from '../shared/http/answer.ts'
import { route } from '../shared/http/route.ts'

/** `GET snapshots/{snapshotId}`: 202 while the run goes on, then its manifest; a failed run is a failure here. */
export const getSnapshot = route({
  parameters: module => module.snapshot,
  handle: async ({ snapshotId }, { app, call, request }) => {
    const [{ status }, { statusHeaders }] = await Promise.all([
      app.snapshots(),
      import('../shared/http/snapshot-answers.ts'),
    ])
    const found = await status.get(snapshotId, call)
    if ('manifest' in found) return answer(JSON.stringify(found.manifest))
    return answer(JSON.stringify(found.running), { status: 202, headers: statusHeaders(request, snapshotId) })
  },
})

app.http('get-snapshot', {
  methods: ['GET'],
  authLevel: 'function',
  route: 'snapshots/{snapshotId}',
  handler: getSnapshot,
})
