import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { caseId, firstTimes, refuse } from '../../local/simulator/failure-cases.ts'
import { documentedCustomerId } from '../../local/simulator/sample-data.ts'
import { pathOf } from '../support/connections.ts'
import { definition, operations } from '../support/definition.ts'
import { type MakerOptions, type MakerResult, runAction, runPaged } from '../support/maker.ts'
import { type RunningApp, startApp } from '../support/running-app.ts'

const key = 'a-key-of-the-connection'
let app: RunningApp

beforeAll(async () => {
  app = await startApp({
    simulator: { customers: 60 },
    settings: { LOCAL_FUNCTION_KEY: key, PARTNER_CENTER_REQUESTS_PER_MINUTE: '60000', REQUEST_DEADLINE_SECONDS: '3' },
  })
})
afterAll(() => app.stop())

const ask = (path: string, more: Partial<MakerOptions> = {}): Promise<MakerResult> =>
  runAction({ url: `${app.api}${path}`, key, secondMs: 20, ...more })

const once = <T>(value: T, index: number, all: T[]) => all.indexOf(value) === index

const firstSnapshot = async () =>
  ((await ask('/snapshots?top=1')).body.value as { snapshotId: string }[])[0]?.snapshotId ?? ''

describe('a maker’s engine', () => {
  test('a maker’s engine recovers from an upstream outage with its retries', async () => {
    app.simulator.partnerCenter.outage = firstTimes(6, refuse(503, '0', 'Down.', { 'retry-after': '0' }))
    const result = await ask(`/customers/${documentedCustomerId}/orders`)
    app.simulator.partnerCenter.outage = undefined
    expect(result).toMatchObject({ status: 200, tries: 2 })
    expect(result.headers.get('x-correlation-id')).toBe('08584000000000000000000000000CU01')
  })

  test('a maker’s engine does not retry a failure that needs a person', async () => {
    const result = await ask(`/customers/${caseId(900421)}/orders`)
    expect(result).toMatchObject({ status: 424, tries: 1 })
  })

  test('a maker’s engine merges pages by nextLink, with the key in its header and nowhere else', async () => {
    const all = await runPaged({ url: `${app.api}/customers?top=7`, key })
    expect(all).toHaveLength(60)
    const { body } = await ask('/customers?top=7')
    expect(JSON.stringify(body)).not.toContain(key)
  })

  test('a maker’s engine without a key gets the platform’s 401', async () => {
    const response = await fetch(`${app.api}/customers`)
    expect([response.status, await response.text()]).toEqual([401, ''])
    expect((await fetch(`${app.api}/health`)).status).toBe(200)
  })

  test('a maker’s engine can import the definition from the app, with an ETag and the app’s address', async () => {
    const response = await fetch(`${app.api}/openapi.json`)
    const served = (await response.json()) as typeof definition
    expect({ ...served, paths: {} }).toEqual({
      ...definition,
      schemes: ['http'],
      host: new URL(app.url).host,
      paths: {},
    })
    expect(Object.keys(served.paths)).toEqual(
      operations.map(({ operation }) => pathOf(operation.operationId)).filter(once),
    )
    const again = await fetch(`${app.api}/openapi.json`, {
      headers: { 'if-none-match': response.headers.get('etag') ?? '' },
    })
    expect(again.status).toBe(304)
  })

  test('a maker’s engine finds a function at every address of the definition', async () => {
    const response = await fetch(`${app.api}/openapi.json`)
    const { paths } = (await response.json()) as typeof definition
    for (const [path, methods] of Object.entries(paths)) {
      for (const method of Object.keys(methods)) {
        const url = `${app.url}${path.replaceAll(/\{\w+\}/g, '-')}`
        // Without the key, a function returns 401 before it does anything, and an unknown address returns 404.
        expect((await fetch(url, { method })).status, `${method} ${path}`).toBe(401)
      }
    }
  })

  test('a maker’s engine behind a connector gets links to its gateway', async () => {
    const prefix = 'https://default-1.azure-apihub.net/apim/shared-orders/conn'
    const started = await fetch(`${app.api}/snapshots`, {
      method: 'POST',
      headers: { 'x-functions-key': key, 'x-ms-apim-referrer-prefix': prefix },
    })
    expect(started.headers.get('location')).toMatch(new RegExp(`^${prefix}/api/snapshots/\\d{8}T\\d{6}Z$`))
    expect(await firstSnapshot()).toMatch(/^\d{8}T/)
  })
})
