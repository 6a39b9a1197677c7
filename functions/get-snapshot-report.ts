import { app } from '@azure/functions'
import { route } from '../shared/http/route/route.ts'

/**
 * `GET snapshots/{snapshotId}/report`: the report of a run as a page or as a mail. Responds with 202 while the run goes
 * on.
 */
export const getSnapshotReport = route({
  parameters: module => module.snapshotReport,
  handle: async (input, { app, operation, request }) => {
    const [{ reports, status }, { respondWithReport }] = await Promise.all([
      app.snapshots(),
      import('../shared/http/responses/report-response.ts'),
    ])
    return respondWithReport(input, { reports, status, operation, request })
  },
})

app.http('get-snapshot-report', {
  methods: ['GET'],
  authLevel: 'function',
  route: 'snapshots/{snapshotId}/report',
  handler: getSnapshotReport,
})
