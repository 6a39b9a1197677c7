import { app } from '@azure/functions'
import { appAddress } from '../shared/http/paging/links.ts'
import { respond } from '../shared/http/responses/response.ts'
import { routeWithoutParameters } from '../shared/http/route/route.ts'
import { lazy } from '../shared/runtime/lazy.ts'

const load = lazy(() => import('../shared/openapi/served-document.ts'))

/** `GET openapi.json`: the document that the connector is made from. Its host is the host of the request. */
export const getOpenapi = routeWithoutParameters(async request => {
  const { documentFor } = await load()
  return respond(documentFor(appAddress(request)), { ifNoneMatch: request.headers.get('if-none-match') })
})

app.http('get-openapi', {
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  route: 'openapi.json',
  handler: getOpenapi,
})
