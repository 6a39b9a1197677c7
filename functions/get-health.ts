import { app } from '@azure/functions'
import { respond } from '../shared/http/responses/response.ts'
import { routeWithoutParameters } from '../shared/http/route/route.ts'

/**
 * `GET health`: the worker is running. Calls no other service, so that an outage elsewhere does not take the app out of
 * rotation.
 */
export const getHealth = routeWithoutParameters(async () => respond('{"status":"ok"}'))

app.http('get-health', { methods: ['GET', 'HEAD'], authLevel: 'anonymous', route: 'health', handler: getHealth })
