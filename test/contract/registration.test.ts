import { expect, test } from 'vitest'
import { root } from '../../local/build.ts'
import { type Binding, loadApp } from '../../local/host/core.ts'

/** Every function with what the platform needs to know of it. A data route that turns anonymous shows here. */
const expected = [
  {
    name: 'get-customer-orders',
    type: 'httpTrigger',
    methods: ['GET', 'POST'],
    authLevel: 'function',
    route: 'customers/{customerTenantId}/orders',
  },
  { name: 'get-health', type: 'httpTrigger', methods: ['GET'], authLevel: 'anonymous', route: 'health' },
  {
    name: 'unknown-route',
    type: 'httpTrigger',
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    authLevel: 'anonymous',
    route: '{*path}',
  },
]

test('the built entry registers exactly the functions of the contract', async () => {
  const app = await loadApp(`${root}dist/main.js`, () => undefined)

  const registered = [...app.functions.values()]
    .map(({ name, bindings }) => {
      const trigger = Object.values(bindings).find(({ type }) => type.endsWith('Trigger'))
      const { type, methods, authLevel, route } = trigger as Binding
      return { name, type, methods, authLevel, route }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))

  expect(registered).toEqual(expected)
})
