import { app } from '@azure/functions'
import { answer } from '../shared/http/answer.ts'
import { edge } from '../shared/http/route.ts'

/** `GET openapi.json`: the document that the connector is made from, with the host it was asked on. */
export const getOpenapi = edge(async request => {
  const { documentFor } = await import('../shared/openapi/served-document.ts')
  return answer(documentFor(new URL(request.url).host), { ifNoneMatch: request.headers.get('if-none-match') })
})

app.http('get-openapi', {
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  route: 'openapi.json',
  handler: getOpenapi,
})
