import { describe, expect, test } from 'vitest'
import { decodePath } from '../../../local/host/path.ts'
import { httpRoutes, matchRoute } from '../../../local/host/routes.ts'
import { httpFunction, routes } from '../../support/local-http.ts'

/** The function for an address, and its parameters. */
function find(method: string, path: string) {
  for (const route of routes) {
    const params = matchRoute(route, method, decodePath(path))
    if (params !== undefined) return { name: route.name, params }
  }
  return undefined
}

describe('a route', () => {
  test('routes are tried in the order of the function names', () => {
    expect(routes.map(({ name }) => name)).toEqual(['changes', 'customers', 'named', 'order', 'orders', 'zz-rest'])
    const [first] = httpRoutes([httpFunction('b', 'x'), httpFunction('a', '{any}')], 'api')
    expect(first?.name).toBe('a')
  })

  test.each<[string, string, string, Record<string, string>]>([
    ['GET', '/api/customers', 'customers', {}],
    ['GET', '/api/customers/', 'customers', {}],
    ['GET', '/API/Customers', 'customers', {}],
    ['GET', '/api/customers/C1/ORDERS', 'orders', { customer: 'C1' }],
    ['POST', '/api/customers/c1/orders', 'orders', { customer: 'c1' }],
    ['GET', '/api/customers/c1/orders/', 'orders', { customer: 'c1' }],
    ['GET', '/api/customers/c%201/orders/%C3%A9', 'order', { customer: 'c 1', order: 'é' }],
    ['GET', '/api/customers/a%2Fb/orders/c%2fd', 'order', { customer: 'a%2Fb', order: 'c%2fd' }],
    ['GET', '/api/customers/a%252Fb/orders', 'orders', { customer: 'a%2Fb' }],
    ['GET', '/api/named', 'named', {}],
    ['GET', '/api/changes', 'changes', {}],
    ['GET', '/api/changes/', 'changes', {}],
    ['GET', '/api/changes/created', 'changes', { kind: 'created' }],
    ['GET', '/api/changes/created/more', 'zz-rest', { path: 'changes/created/more' }],
    ['POST', '/api/customers', 'zz-rest', { path: 'customers' }],
    ['DELETE', '/api/customers/c1/orders', 'zz-rest', { path: 'customers/c1/orders' }],
    ['GET', '/api/%63ustomers/c1/%6Frders', 'orders', { customer: 'c1' }],
    ['GET', '/api/customers/%zz/orders', 'orders', { customer: '%zz' }],
    ['GET', '/api/customers/%FF%c3%A9%E0%A4%A/orders', 'orders', { customer: '%FFé%E0%A4%A' }],
    ['GET', '/api/customers//orders', 'zz-rest', { path: 'customers//orders' }],
    ['GET', '/api/a/b/', 'zz-rest', { path: 'a/b/' }],
    ['GET', '/api/customers/c1', 'zz-rest', { path: 'customers/c1' }],
    ['GET', '/api/customers/c1/orders/o1/more', 'zz-rest', { path: 'customers/c1/orders/o1/more' }],
    ['GET', '/api/a%20b/c%2Fd', 'zz-rest', { path: 'a b/c%2Fd' }],
    ['GET', '/api', 'zz-rest', {}],
    ['GET', '/api/', 'zz-rest', {}],
  ])('a route for %s %s leads to %s', (method, path, name, params) => {
    expect(find(method, path)).toEqual({ name, params })
  })

  test.each([
    ['GET', '/'],
    ['GET', '/customers'],
    ['GET', '/apis/customers'],
    ['GET', '/admin'],
    ['GET', '/api//customers'],
    ['GET', '//api/customers'],
    ['GET', '/api//'],
    ['PUT', '/api/customers'],
    ['get', '/api/customers'],
  ])('a route does not exist for %s %s', (method, path) => {
    expect(find(method, path)).toBeUndefined()
  })

  test('a route can have no prefix', () => {
    const [bare] = httpRoutes([httpFunction('a', 'x')], '')
    expect(bare && matchRoute(bare, 'GET', '/x')).toEqual({})
    expect(bare && matchRoute(bare, 'GET', '/api/x')).toBeUndefined()
  })
})
