import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { documentedCustomerId } from '../../local/simulator/sample-data.ts'
import { type RunningApp, startApp } from '../support/running-app.ts'

let app: RunningApp

beforeAll(async () => {
  app = await startApp({
    storage: inject('storage'),
    settings: { PARTNER_CENTER_CREDENTIAL: 'refresh-token' },
    prepare: ({ keyVault, entra }) => keyVault.store('partner-center-refresh-token', entra.issueRefreshToken()),
  })
})
afterAll(() => app.stop())

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 20))
}

test('the timer, started by hand, stores a newer refresh token', async () => {
  const versions = () => app.simulator.keyVault.secrets.get('partner-center-refresh-token') ?? []
  expect(versions()).toHaveLength(1)

  const started = await fetch(`${app.url}/admin/functions/renew-credential`, { method: 'POST', body: '{}' })
  expect(started.status).toBe(202)
  await until(() => versions().length === 2)

  expect(versions().at(-1)?.tags).toMatchObject({ source: 'renew-credential' })
  await until(() => app.events().some(({ event }) => event === 'credential_renewed'))
  expect(app.host.lines.join('\n')).not.toContain(versions().at(-1)?.value)
})

test('a client secret that is rotated under load fails no request', async () => {
  const { entra, keyVault } = app.simulator
  entra.tokenSeconds = 20
  const statuses = new Map<number, number>()
  let sent = 0
  const ask = async () => {
    const response = await fetch(`${app.api}/customers/${documentedCustomerId}/orders`)
    await response.arrayBuffer()
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
  }
  const load = Array.from({ length: 8 }, async () => {
    while (sent++ < 600) await ask()
  })
  for (const round of [1, 2, 3]) {
    await until(() => sent > round * 120)
    entra.clientSecrets.add(`secret ${round}`)
    keyVault.store('partner-center-client-secret', `secret ${round}`)
    entra.clientSecrets = new Set([`secret ${round}`])
    entra.revoke('user')
  }
  await Promise.all(load)

  expect([...statuses]).toEqual([[200, 600]])
  expect(entra.forms.some(({ form }) => form.get('client_secret') === 'secret 3')).toBe(true)
})

test('the health details need a key, and contain no secret', async () => {
  const response = await fetch(`${app.api}/health/details`)
  const text = await response.text()

  expect(response.status).toBe(200)
  expect(JSON.parse(text)).toMatchObject({
    status: 'ok',
    credential: {
      kind: 'refresh-token',
      mfaCompliant: true,
      secrets: [
        { name: 'partner-center-client-secret', ageDays: 0 },
        { name: 'partner-center-refresh-token', ageDays: 0, daysLeft: 89 },
      ],
    },
    partnerCenter: { reachable: true },
  })
  expect(text).not.toContain([...app.simulator.entra.refreshTokens.keys()].at(-1))
})

test('upstream reachability is checked at most once a minute', async () => {
  const customersReads = () =>
    app.simulator.partnerCenter.requests.filter(({ path }) => path === '/v1/customers').length
  const before = customersReads()
  await fetch(`${app.api}/health/details`)
  await fetch(`${app.api}/health/details`)
  expect(customersReads()).toBe(before)
})
