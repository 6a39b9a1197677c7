import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { type Fault, sendText } from '../../local/simulator/failure-cases.ts'
import { documentedCustomerId } from '../../local/simulator/sample-data.ts'
import { type RunningApp, startApp } from '../support/running-app.ts'

let app: RunningApp

beforeAll(async () => {
  app = await startApp({ storage: inject('storage'), settings: { REQUEST_DEADLINE_SECONDS: '20' } })
})
afterAll(() => app.stop())
afterEach(() => {
  app.simulator.partnerCenter.outage = undefined
  app.simulator.partnerCenter.faults.delete(documentedCustomerId)
})

const orders = `customers/${documentedCustomerId}/orders`
const get = (path: string, init?: RequestInit) => fetch(`${app.api}/${path}`, init)
const codeOf = async (response: Response) => ((await response.json()) as { error: { code: string } }).error.code
const answer = (fault: Fault) => app.simulator.partnerCenter.faults.set(documentedCustomerId, fault)
const json = (body: unknown) => sendText(200, 'application/json', JSON.stringify(body))

describe('one order', () => {
  test.each<[string, unknown]>([
    ['nothing', {}],
    ['a collection', { totalCount: 0, items: [], attributes: { objectType: 'Collection' } }],
    ['an order without an id', { id: '', referenceCustomerId: documentedCustomerId }],
    ['another customer’s order', { id: 'o1', referenceCustomerId: '6e960637-f914-4368-ab00-127711577b3e' }],
  ])('one order that comes as %s is an unusable response', async (_, body) => {
    answer(json(body))
    const response = await get(`${orders}/o1`)
    expect([response.status, await codeOf(response)]).toEqual([502, 'partner_center_invalid_response'])
  })

  test('one order can have its customer in upper case or no customer', async () => {
    answer(json({ id: 'o1', referenceCustomerId: documentedCustomerId.toUpperCase() }))
    expect((await get(`${orders}/o1`)).status).toBe(200)
    answer(json({ id: 'o1' }))
    expect((await get(`${orders}/o1`)).status).toBe(200)
  })

  test('one order has the provisioning status of all its pages', async () => {
    answer(({ request, response }, proceed) => {
      if (!request.path.endsWith('/provisioningstatus')) return json({ id: 'o1' })({ request, response }, proceed)
      const page = Number(request.query.get('page') ?? 1)
      const next = { uri: `${request.path}?page=${page + 1}`, method: 'GET', headers: [] }
      const items = page === 2 ? [] : [{ lineItemNumber: page, status: 'Fulfilled', note: null }]
      return json({ items, links: page < 3 ? { next } : {} })({ request, response }, proceed)
    })
    const response = await get(`${orders}/o1?expand=provisioningStatus`)
    expect(await response.json()).toMatchObject({
      provisioningStatus: [
        { lineItemNumber: 1, status: 'Fulfilled' },
        { lineItemNumber: 3, status: 'Fulfilled' },
      ],
    })
  })

  test('one order has the time of its reading, not of its request', async () => {
    let respond: (() => void) | undefined
    answer((exchange, proceed) => {
      respond = () => json({ id: 'o1' })(exchange, proceed)
    })
    const first = get(`${orders}/o1`)
    while (respond === undefined) await new Promise(resolve => setTimeout(resolve, 5))
    await new Promise(resolve => setTimeout(resolve, 100))
    const second = get(`${orders}/o1`)
    await new Promise(resolve => setTimeout(resolve, 100))
    respond()
    const [one, two] = await Promise.all([first, second])
    expect(two.headers.get('x-orders-as-of')).toBe(one.headers.get('x-orders-as-of'))
  })
})

test('the last of repeated links members counts, for paging and for the response', async () => {
  const link = (page: string) => `{"next":{"uri":"/v1/${orders}?page=${page}"},"self":{"uri":"${page}"}}`
  answer(({ request, response }, proceed) =>
    sendText(
      200,
      'application/json',
      request.query.has('page')
        ? `{"items":[{"id":"${request.query.get('page')}"}]}`
        : `{"items":[],"links":${link('first')},"links":${link('last')}}`,
    )({ request, response }, proceed),
  )
  expect(await (await get(orders)).json()).toMatchObject({ items: [{ id: 'last' }], links: { self: { uri: 'last' } } })
})

test('a customer whose every read is refused with 401 costs one new token, not one for each call', async () => {
  await get(orders)
  answer(({ response }) => void response.writeHead(401).end())
  const before = app.simulator.entra.forms.length
  for (let call = 0; call < 5; call++) expect((await get(orders)).status).toBe(424)
  expect(app.simulator.entra.forms.length - before).toBe(1)
  app.simulator.partnerCenter.faults.delete(documentedCustomerId)
  expect((await get(orders)).status).toBe(200)
})

test('sixty requests for the health at once cost the upstream two calls', async () => {
  const before = app.simulator.partnerCenter.requests.length
  const responses = await Promise.all(Array.from({ length: 60 }, () => get('health/details')))
  expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]))
  expect(app.simulator.partnerCenter.requests.length - before).toBeLessThanOrEqual(2)
})

test('a POST that reads never gets 304', async () => {
  const etag = (await get(orders)).headers.get('etag') ?? ''
  const response = await get(orders, { method: 'POST', headers: { 'if-none-match': etag } })
  expect([response.status, response.headers.get('etag')]).toEqual([200, etag])
})

test.each(['health', 'openapi.json'])('HEAD of %s has the response of GET, without a body', async path => {
  const response = await get(path, { method: 'HEAD' })
  expect([response.status, await response.text()]).toEqual([200, ''])
})
