import { app } from '@azure/functions'
import { AppError } from '../shared/errors.ts'
import { routeWithoutParameters } from '../shared/http/route/route.ts'

/**
 * Returns 404 in this app's error shape for every other address. The platform tries routes in the order of function
 * names, and this name sorts last.
 */
export const unknownRoute = routeWithoutParameters(async request => {
  throw new AppError(
    'route_not_found',
    `There is no ${request.method} at this address. GET openapi.json lists every address and its methods.`,
  )
})

app.http('unknown-route', {
  // TRACE and CONNECT are missing on purpose: the library cannot create a request for them and would return 500.
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
  authLevel: 'anonymous',
  route: '{*path}',
  handler: unknownRoute,
})
