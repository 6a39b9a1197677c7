import { app } from '@azure/functions'
import { answer } from '../shared/http/answer.ts'
import { route } from '../shared/http/route.ts'

/** `GET health/details`: what an operator wants to know before a caller does; names and dates, never a secret. */
export const getHealthDetails = route({
  parameters: module => module.noParameters,
  handle: async (_, { app, call }) => {
    const [readCredential, readReachability] = await Promise.all([app.credentialHealth(), app.reachability()])
    const [credential, partnerCenter] = await Promise.all([readCredential(call), readReachability(call)])
    const wellFed = credential.error === undefined && credential.secrets.every(({ daysLeft = 90 }) => daysLeft > 14)
    const status = wellFed && partnerCenter.reachable && credential.mfaCompliant !== false ? 'ok' : 'degraded'
    return answer(JSON.stringify({ status, credential, partnerCenter }))
  },
})

app.http('get-health-details', {
  methods: ['GET'],
  authLevel: 'function',
  route: 'health/details',
  handler: getHealthDetails,
})
