import { expect, test } from 'vitest'
import { root } from '../../local/build.ts'
import { type Binding, loadApp } from '../../local/host/core.ts'

/** Every function with what the platform needs to know of it. A data route that turns anonymous shows here. */
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
  { name: 'list-customers', type: 'httpTrigger', methods: ['GET'], authLevel: 'function', route: 'customers' },
  {
    name: 'get-customer-orders',
    type: 'httpTrigger',
    methods: ['GET', 'POST'],
    authLevel: 'function',
    route: 'customers/{customerTenantId}/orders',
  },
  { name: 'get-health-details', type: 'httpTrigger', methods: ['GET'], authLevel: 'function', route: 'health/details' },
  { name: 'get-health', type: 'httpTrigger', methods: ['GET'], authLevel: 'anonymous', route: 'health' },
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

test('the built entry registers exactly the functions of the contract', async () => {
  const app = await loadApp(`${root}dist/main.js`, () => undefined)

  const registered = [...app.functions.values()]
    .map(({ name, bindings }) => {
      const trigger = Object.values(bindings).find(({ type }) => type.endsWith('Trigger'))
      const { type, methods, authLevel, route, schedule } = trigger as Binding
      return { name, type, methods, authLevel, route, schedule }
    })
    .sort(byName)

  expect(registered).toEqual([...expected].sort(byName))
})
