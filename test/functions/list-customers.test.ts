import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type Page, readPages } from '../support/http-responses.ts'
import { type RunningApp, startApp } from '../support/running-app.ts'

let app: RunningApp

beforeAll(async () => {
  app = await startApp({ storage: inject('storage'), simulator: { customers: 1203 } })
})
afterAll(() => app.stop())

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(path.startsWith('http') ? path : app.api + path, { headers })

const pages = <T>(path: string, headers: Record<string, string> = {}) => readPages<T>(app.api + path, headers)

describe('list-customers', () => {
  type Row = { customerTenantId: string; companyName: string; domain: string; relationship: string }

  test('list-customers lists the customers of all upstream pages by name, each once', async () => {
    const all = (await pages<Row>('/customers?top=1000')).flat()
    const ids = new Set(all.map(({ customerTenantId }) => customerTenantId))

    expect(ids).toEqual(new Set(app.simulator.partnerCenter.customers.map(({ id }) => id)))
    expect(all).toHaveLength(1203)
    expect(all[0]).toEqual({
      customerTenantId: expect.any(String),
      companyName: expect.any(String),
      domain: expect.any(String),
      relationship: 'reseller',
    })
  })

  test('list-customers follows links with and without /v1, and calls the upstream once in five minutes', async () => {
    const reads = () => app.simulator.partnerCenter.requests.filter(({ path }) => path === '/v1/customers').length
    const before = reads()
    await Promise.all(Array.from({ length: 5 }, () => get('/customers?top=1')))
    expect(reads()).toBe(before)

    const other = await startApp({
      storage: inject('storage'),
      simulator: { customers: 1001 },
      prepare: ({ partnerCenter }) => Object.assign(partnerCenter, { linkPrefix: '/v1' }),
    })
    const rows = await Promise.all(Array.from({ length: 4 }, () => fetch(`${other.api}/customers?top=1000`)))
    expect(rows.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(other.simulator.partnerCenter.requests.map(({ path }) => path)).toEqual([
      '/v1/customers',
      '/v1/customers',
      '/v1/customers',
    ])
    await other.stop()
  })

  test.each([
    ['zurich', 'Zürich'],
    ['LODZ', 'Łódź'],
    ['tromso', 'Tromsø'],
    ['CONTOSOTAILSPIN.EXAMPLE', 'Contoso'],
  ])('list-customers finds %s as %s', async (search, name) => {
    const found = (await pages<Row>(`/customers?top=1000&search=${encodeURIComponent(search)}`)).flat()
    expect(found.length).toBeGreaterThan(0)
    expect(found.every(({ companyName }) => companyName.includes(name))).toBe(true)
    const expected = app.simulator.partnerCenter.customers.filter(({ companyName }) => companyName.includes(name))
    expect(found).toHaveLength(expected.length)
  })

  test('list-customers returns an empty list for a search without results, and 400 for a cursor of another search', async () => {
    expect(await (await get('/customers?search=nobody-at-all')).json()).toEqual({ value: [] })
    const { nextLink = '' } = (await (await get('/customers?search=a&top=2')).json()) as Page<Row>
    expect((await get(nextLink.replace('search=a', 'search=b'))).status).toBe(400)
    expect((await pages<Row>('/customers?search=a&top=100')).flat().length).toBeGreaterThan(100)
  })
})
