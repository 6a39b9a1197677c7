import { app } from '@azure/functions'
import { respond } from '../shared/http/responses/response.ts'
import { route } from '../shared/http/route/route.ts'

/**
 * `POST snapshots`: starts a snapshot of all customers, of some, or of those that failed in the newest one. The
 * `Location` header of the response has the address of its status.
 */
export const startSnapshot = route({
  parameters: module => module.startSnapshot,
  modules: () => import('../shared/http/responses/snapshot-responses.ts'),
  handle: async ({ customerTenantIds, failedOf }, { app, operation, request }, responses) => {
    const { snapshotRunning, statusHeaders } = responses
    const [{ start, failedCustomers }, { lookUpCustomers }] = await Promise.all([app.snapshots(), app.readers()])
    const customers = customerTenantIds && (await lookUpCustomers(customerTenantIds, operation))
    const planned = customers?.map(({ customerTenantId, companyName }): [string, string] => [
      customerTenantId,
      companyName,
    ])
    const { snapshotId, started } =
      failedOf === undefined
        ? await start('request', planned, operation)
        : await start('request', await failedCustomers(), operation, { following: true })
    if (!started) throw snapshotRunning(request, snapshotId)
    const body = JSON.stringify({ snapshotId, status: 'running' })
    return respond(body, { status: 202, headers: statusHeaders(request, snapshotId) })
  },
})

app.http('start-snapshot', { methods: ['POST'], authLevel: 'function', route: 'snapshots', handler: startSnapshot })
