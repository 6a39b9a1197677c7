import { app } from '@azure/functions'
import { respond } from '../shared/http/responses/response.ts'
import { route } from '../shared/http/route/route.ts'

/** `GET health/details`: age and expiry of the credential, last snapshot, reachability of Partner Center. */
export const getHealthDetails = route({
  parameters: module => module.noParameters,
  handle: async (_, { app, operation }) => {
    const { readHealthDetails } = await import('../shared/http/responses/health-details.ts')
    return respond(JSON.stringify(await readHealthDetails(app, operation)))
  },
})

app.http('get-health-details', {
  methods: ['GET'],
  authLevel: 'function',
  route: 'health/details',
  handler: getHealthDetails,
})
