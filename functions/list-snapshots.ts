import { app } from '@azure/functions'
import { answer } from '../shared/http/answer.ts'
import { route } from '../shared/http/route.ts'

/** `GET snapshots`: the runs there are, newest first. */
export const listSnapshots = route({
  parameters: module => module.snapshots,
  handle: async ({ top, cursor }, { app, request }) => {
    const [{ status }, { snapshotsAnswer, toBefore }] = await Promise.all([
      app.snapshots(),
      import('../shared/http/snapshot-answers.ts'),
    ])
    const { runs, hasMore } = await status.list(top, toBefore(cursor))
    return answer(snapshotsAnswer(runs, hasMore, request))
  },
})

app.http('list-snapshots', { methods: ['GET'], authLevel: 'function', route: 'snapshots', handler: listSnapshots })
