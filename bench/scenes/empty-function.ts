import { app } from '@azure/functions'

app.http('empty', { methods: ['GET'], authLevel: 'function', handler: async () => ({ body: 'ok' }) })
