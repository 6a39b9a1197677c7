import { app } from '@azure/functions'
import { answer } from '../shared/http/answer.ts'
import { appAddress } from '../shared/http/links.ts'
import { edge } from '../shared/http/route.ts'

/** `GET openapi.json`: the document that the connector is made from, with the address it was asked on. */
export const getOpenapi = edge(async request => {
  const { documentFor } = await import('../shared/openapi/served-document.ts')
  return answer(documentFor(appAddress(request)), { ifNoneMatch: request.headers.get('if-none-match') })
})

app.http('get-openapi', {
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  route: 'openapi.json',
  handler: getOpenapi,
})
