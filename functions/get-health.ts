import { app } from '@azure/functions'
import { respond } from '../shared/http/responses/response.ts'
import { routeWithoutParameters } from '../shared/http/route/route.ts'

/** `GET health`: the worker is alive. Calls nothing, so that no outage elsewhere takes the app out of rotation. */
export const getHealth = routeWithoutParameters(async () => respond('{"status":"ok"}'))

app.http('get-health', { methods: ['GET', 'HEAD'], authLevel: 'anonymous', route: 'health', handler: getHealth })
