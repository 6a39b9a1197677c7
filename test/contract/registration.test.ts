import { expect, test } from 'vitest'
import { root } from '../../local/build/bundle.ts'
import { type Binding, loadApp } from '../../local/host/core.ts'

/** Every function with the properties that the platform needs. It shows if a data route becomes anonymous. */
const expected = [
  {
    name: 'get-customer-order',
    type: 'httpTrigger',
    methods: ['GET'],
    authLevel: 'function',
    route: 'customers/{customerTenantId}/orders/{orderId}',
  },
  {
    name: 'list-order-lines',
    type: 'httpTrigger',
    methods: ['GET'],
    authLevel: 'function',
    route: 'customers/{customerTenantId}/order-lines',
  },
  {
    name: 'list-all-order-lines',
    type: 'httpTrigger',
    methods: ['GET'],
    authLevel: 'function',
    route: 'order-lines',
  },
  { name: 'list-customers', type: 'httpTrigger', methods: ['GET'], authLevel: 'function', route: 'customers' },
  {
    name: 'get-customer-orders',
    type: 'httpTrigger',
    methods: ['GET', 'POST'],
    authLevel: 'function',
    route: 'customers/{customerTenantId}/orders',
  },
  { name: 'get-health-details', type: 'httpTrigger', methods: ['GET'], authLevel: 'function', route: 'health/details' },
  { name: 'get-health', type: 'httpTrigger', methods: ['GET', 'HEAD'], authLevel: 'anonymous', route: 'health' },
  { name: 'get-openapi', type: 'httpTrigger', methods: ['GET', 'HEAD'], authLevel: 'anonymous', route: 'openapi.json' },
  { name: 'poll-order-changes', type: 'httpTrigger', methods: ['GET'], authLevel: 'function', route: 'order-changes' },
  {
    name: 'cancel-snapshot',
    type: 'httpTrigger',
    methods: ['POST'],
    authLevel: 'function',
    route: 'snapshots/{snapshotId}/cancel',
  },
  { name: 'start-snapshot', type: 'httpTrigger', methods: ['POST'], authLevel: 'function', route: 'snapshots' },
  { name: 'list-snapshots', type: 'httpTrigger', methods: ['GET'], authLevel: 'function', route: 'snapshots' },
  {
    name: 'get-snapshot',
    type: 'httpTrigger',
    methods: ['GET'],
    authLevel: 'function',
    route: 'snapshots/{snapshotId}',
  },
  {
    name: 'get-snapshot-report',
    type: 'httpTrigger',
    methods: ['GET'],
    authLevel: 'function',
    route: 'snapshots/{snapshotId}/report',
  },
  { name: 'follow-orders', type: 'timerTrigger', schedule: '0 */10 * * * *' },
  { name: 'snapshot-orders', type: 'timerTrigger', schedule: '0 20 0 * * *' },
  { name: 'snapshot-part', type: 'queueTrigger', queueName: 'snapshot-parts', connection: 'AzureWebJobsStorage' },
  {
    name: 'snapshot-part-failed',
    type: 'queueTrigger',
    queueName: 'snapshot-parts-poison',
    connection: 'AzureWebJobsStorage',
  },
  { name: 'renew-credential', type: 'timerTrigger', schedule: '0 40 3 * * *' },
  {
    name: 'unknown-route',
    type: 'httpTrigger',
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    authLevel: 'anonymous',
    route: '{*path}',
  },
]

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)

test('the built entry registers exactly the documented functions', async () => {
  const app = await loadApp(`${root}dist/main.js`, () => undefined)

  const registered = [...app.functions.values()]
    .map(({ name, bindings }) => {
      const trigger = Object.values(bindings).find(({ type }) => type.endsWith('Trigger'))
      const { type, methods, authLevel, route, schedule, queueName, connection } = trigger as Binding
      return { name, type, methods, authLevel, route, schedule, queueName, connection }
    })
    .sort(byName)

  expect(registered).toEqual([...expected].sort(byName))
})
