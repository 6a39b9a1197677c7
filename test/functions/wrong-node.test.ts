import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { root } from '../../local/build/bundle.ts'
import { type RunningHost, startHost } from '../../local/host/host.ts'

const id = 'aaaaaaaa-0000-4000-8000-000000000001'
const settings = {
  PARTNER_CENTER_TENANT_ID: id,
  PARTNER_CENTER_CLIENT_ID: id,
  KEY_VAULT_URI: 'https://vault.example',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
}
const named = /^The app runs on Node\.js 20\.20\.2 and needs 22 or newer: .*[^;]$/

const versions = Object.getOwnPropertyDescriptor(process, 'versions') ?? {}
let host: RunningHost
let atStart: string[]

beforeAll(async () => {
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value)
  Object.defineProperty(process, 'versions', { ...versions, value: { ...process.versions, node: '20.20.2' } })
  const write = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  host = await startHost({ appFolder: root, port: 0, writeLog: () => undefined })
  atStart = write.mock.calls.map(([line]) => String(line))
})
afterAll(async () => {
  Object.defineProperty(process, 'versions', versions)
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  await host.stop()
})

describe('on an old Node.js', () => {
  test('on an old Node.js, the log has an error at start', () => {
    expect(atStart.map(line => JSON.parse(line) as unknown)).toEqual([
      {
        event: 'app_misconfigured',
        level: 'error',
        message: expect.stringContaining('The app runs on Node.js 20.20.2'),
      },
    ])
  })

  test.each([
    'customers',
    `customers/${id}/orders`,
    `customers/${id}/orders/1`,
    `customers/${id}/order-lines`,
    'order-lines',
    'order-changes',
    'snapshots',
    'snapshots/20261120T002000Z',
    'health/details',
  ])('on an old Node.js, %s reports the version', async path => {
    const response = await fetch(`${host.url}/api/${path}`)
    expect(response.status).toBe(500)
    expect(await response.json()).toMatchObject({
      error: { code: 'app_misconfigured', message: expect.stringMatching(named) },
      retryable: false,
    })
  })

  test('on an old Node.js, liveness and the definition still work', async () => {
    const statuses = ['health', 'openapi.json'].map(async path => (await fetch(`${host.url}/api/${path}`)).status)
    expect(await Promise.all(statuses)).toEqual([200, 200])
  })
})
