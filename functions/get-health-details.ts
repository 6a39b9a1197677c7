import { app } from '@azure/functions'
import { answer } from '../shared/http/answer.ts'
import { route } from '../shared/http/route.ts'

/** `GET health/details`: credential age and end, last snapshot, upstream reachability. */
export const getHealthDetails = route({
  parameters: module => module.noParameters,
  handle: async (_, { app, call }) => {
    const { readHealthDetails } = await import('../shared/http/health-answer.ts')
    return answer(JSON.stringify(await readHealthDetails(app, call)))
  },
})

app.http('get-health-details', {
  methods: ['GET'],
  authLevel: 'function',
  route: 'health/details',
  handler: getHealthDetails,
})
