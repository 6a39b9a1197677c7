import { app } from '@azure/functions'
import { answer } from '../shared/http/answer.ts'
import { edge } from '../shared/http/route.ts'

/** `GET health`: the worker is alive. Calls nothing, so that no outage elsewhere takes the app out of rotation. */
export const getHealth = edge(async () => answer('{"status":"ok"}'))

app.http('get-health', { methods: ['GET', 'HEAD'], authLevel: 'anonymous', route: 'health', handler: getHealth })
