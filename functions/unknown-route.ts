import { app } from '@azure/functions'
import { AppError } from '../shared/errors.ts'
import { routeWithoutParameters } from '../shared/http/route/route.ts'

/** Every address that no other function takes, in our error shape. Routes are tried by function name: this one sorts last. */
export const unknownRoute = routeWithoutParameters(async request => {
  throw new AppError(
    'route_not_found',
    `There is no ${request.method} at this address. GET openapi.json lists every address and its methods.`,
  )
})

app.http('unknown-route', {
  // TRACE and CONNECT are missing on purpose: the library cannot make a request of them and would answer 500.
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
  authLevel: 'anonymous',
  route: '{*path}',
  handler: unknownRoute,
})
