import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Simulator, startSimulator } from '../../../local/simulator/simulator.ts'
import { createApp } from '../../../shared/app.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { createOperation } from '../../support/operations.ts'
import { trust } from '../../support/trust.ts'

const day = 86_400_000
const name = 'partner-center-refresh-token'
let clock = createFakeClock()
let simulator: Simulator

beforeAll(async () => {
  simulator = await startSimulator({ customers: 1, now: () => clock.now() })
  trust(simulator.certificate)
  Object.assign(process.env, {
    IDENTITY_ENDPOINT: simulator.settings.IDENTITY_ENDPOINT,
    IDENTITY_HEADER: simulator.settings.IDENTITY_HEADER,
  })
})
afterAll(() => simulator.stop())

beforeEach(() => {
  clock = createFakeClock({ jumps: true })
  simulator.entra.refreshTokens.clear()
  simulator.keyVault.failures = []
  simulator.keyVault.secrets.clear()
  simulator.keyVault.store('partner-center-client-secret', [...simulator.entra.clientSecrets][0] ?? '')
  simulator.keyVault.store(name, simulator.entra.issueRefreshToken(), {
    expires: Math.floor(clock.now() / 1000) + 90 * 86_400,
  })
})

const createRefreshTokenApp = () =>
  createApp({
    env: {
      ...simulator.settings,
      AzureWebJobsStorage: 'UseDevelopmentStorage=true',
      PARTNER_CENTER_CREDENTIAL: 'refresh-token',
    },
    overrides: { clock },
  })

const renew = async (app = createRefreshTokenApp()) => {
  const operation = createOperation({ clock, seconds: 300 })
  const { renewCredential: work } = await app.readers()
  const failure = await work(operation).then(
    () => undefined,
    error => error,
  )
  return { failure, logged: operation.logged }
}

const versions = () => simulator.keyVault.secrets.get(name) ?? []
const outage = (method: 'GET' | 'PUT', times: number) =>
  simulator.keyVault.failures.push(
    ...Array.from({ length: times }, () => ({ status: 503, code: 'ServiceUnavailable', method })),
  )

describe('renewing the credential', () => {
  test('renewing the credential stores the newer refresh token with its expiry date and origin', async () => {
    const { failure, logged } = await renew()

    expect(failure).toBeUndefined()
    expect(versions()).toHaveLength(2)
    const stored = versions().at(-1)
    expect(simulator.entra.refreshTokens.has(stored?.value ?? '')).toBe(true)
    expect(stored?.value).not.toBe(versions()[0]?.value)
    expect(stored?.expires).toBe(Math.floor((clock.now() + 90 * day) / 1000))
    expect(stored?.tags).toEqual({ renewedAt: new Date(clock.now()).toISOString(), source: 'renew-credential' })
    expect(logged).toContainEqual(expect.objectContaining({ level: 'info', event: 'credential_renewed' }))
    expect(JSON.stringify(logged)).not.toContain(stored?.value)
  })

  test('renewing the credential twice at once stores a valid token', async () => {
    const [a, b] = await Promise.all([renew(), renew()])

    expect([a.failure, b.failure]).toEqual([undefined, undefined])
    expect(versions()).toHaveLength(3)
    expect((await renew()).failure).toBeUndefined()
  })

  test('renewing the credential retries a failed write, and keeps the stored token if it still fails', async () => {
    outage('PUT', 3)
    expect((await renew()).failure).toBeUndefined()
    expect(versions()).toHaveLength(2)

    outage('PUT', 100)
    const { failure, logged } = await renew()
    expect(simulator.keyVault.failures).toHaveLength(96)
    simulator.keyVault.failures = []

    expect(failure).toMatchObject({ code: 'key_vault_unavailable' })
    expect(logged).toContainEqual(expect.objectContaining({ level: 'error', event: 'credential_renewal_failed' }))
    expect(versions()).toHaveLength(2)
    expect((await renew()).failure).toBeUndefined()
  })

  test('renewing a revoked token fails and says that a user must sign in', async () => {
    for (const token of simulator.entra.refreshTokens.values()) token.revoked = true
    const { failure, logged } = await renew()

    expect(failure).toMatchObject({ code: 'credential_rejected', message: expect.stringContaining('AADSTS50173') })
    expect(logged).toContainEqual({
      level: 'error',
      event: 'credential_renewal_failed',
      fields: { code: 'credential_rejected', message: expect.stringContaining('npm run consent') },
    })
  })

  test.each([
    [14, true],
    [15, false],
  ])('renewing the credential warns of a client secret that expires in %i days: %s', async (days, warns) => {
    const [secret] = simulator.entra.clientSecrets
    simulator.keyVault.store('partner-center-client-secret', secret ?? '', {
      expires: Math.floor((clock.now() + days * day) / 1000),
    })
    const { logged } = await renew()

    const warnings = logged.filter(({ event }) => event === 'credential_expires_soon')
    expect(warnings).toHaveLength(warns ? 1 : 0)
    if (warns)
      expect(warnings[0]).toMatchObject({
        level: 'error',
        fields: { secret: 'partner-center-client-secret', daysLeft: days },
      })
  })
})

test('an app stays signed in for 200 days with daily renewal despite outages of the vault, and not without renewal', async () => {
  const [first] = simulator.entra.refreshTokens.keys()
  const app = createRefreshTokenApp()
  const failures: string[] = []
  for (let today = 0; today < 200; today++) {
    await clock.advance(day)
    const isOutage = today % 23 > 19
    if (isOutage) outage(today % 2 === 0 ? 'PUT' : 'GET', 40)
    const { failure } = await renew(today % 2 === 0 ? app : createRefreshTokenApp())
    expect(failure === undefined).toBe(!isOutage)
    simulator.keyVault.failures = []
    const acquired = (await app.readers()).credential.acquire(createOperation({ clock }))
    await acquired.catch(error => failures.push(`day ${today}: ${error.message}`))
  }

  expect(failures).toEqual([])
  expect(simulator.entra.refreshTokens.get(first ?? '')?.expiresAt).toBeLessThan(clock.now())
})

test('the health of the credential has names, ages and expiry dates, and no values', async () => {
  const app = createRefreshTokenApp()
  await renew(app)
  await clock.advance(3 * day)
  const health = await (await app.readers()).credentialHealth(createOperation({ clock }))

  expect(health).toEqual({
    kind: 'refresh-token',
    secrets: [
      { name: 'partner-center-client-secret', ageDays: 3 },
      {
        name,
        ageDays: 3,
        expiresAt: expect.any(String),
        daysLeft: 87,
        renewedAt: new Date(clock.now() - 3 * day).toISOString(),
      },
    ],
  })
})
