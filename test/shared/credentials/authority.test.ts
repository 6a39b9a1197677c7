import type { ConfidentialClientApplication } from '@azure/msal-node'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { entraError } from '../../../local/simulator/entra.ts'
import { type Simulator, startSimulator } from '../../../local/simulator/simulator.ts'
import { createAuthority } from '../../../shared/credentials/authority.ts'
import { createTransport, type Transport, TransportError } from '../../../shared/partner-center/transport.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { createOperation } from '../../support/operations.ts'
import { trust } from '../../support/trust.ts'

let simulator: Simulator

beforeAll(async () => {
  simulator = await startSimulator({ customers: 1 })
  trust(simulator.certificate)
})
afterAll(() => simulator.stop())
beforeEach(() => {
  simulator.entra.failures = []
  simulator.entra.forms = []
  simulator.entra.clientSecrets = new Set(['good'])
})

const scopes = ['https://api.partnercenter.microsoft.com/.default']
const send = createTransport({ connections: 4 })

const askForApp = (client: ConfidentialClientApplication) =>
  client.acquireTokenByClientCredential({ scopes, skipCache: true })

type Setting = { url?: string; tenantId?: string; transport?: Transport }

/** An authority with a clock that skips waits, and exchanges with it. */
function authority({ url = simulator.plainUrl, tenantId = simulator.entra.tenantId, transport = send }: Setting = {}) {
  const clock = createFakeClock({ jumps: true })
  const operation = createOperation({ clock })
  const { exchange } = createAuthority({
    authority: url,
    tenantId,
    clientId: simulator.entra.clientId,
    transport,
    clock,
  })
  return {
    clock,
    operation,
    exchange,
    get: (clientSecret = 'good') => exchange({ clientSecret }, operation, askForApp),
  }
}

const fail = (status: number, body: unknown = {}, headers: Record<string, string> = {}) =>
  simulator.entra.failures.push({ status, body, headers })

describe('an exchange with the token endpoint', () => {
  test.each(['url', 'plainUrl'] as const)(
    'an exchange with the token endpoint gets a token over %s, from the tenant and no discovery',
    async kind => {
      const { result, expiresInSeconds, refreshToken } = await authority({ url: simulator[kind] }).get()

      expect(simulator.entra.tokens.get(result.accessToken)).toMatchObject({
        audience: 'https://api.partnercenter.microsoft.com',
        kind: 'app',
      })
      expect(expiresInSeconds).toBe(3599)
      expect(refreshToken).toBeUndefined()
      expect(simulator.entra.forms.map(({ path }) => path)).toEqual([`/${simulator.entra.tenantId}/oauth2/v2.0/token`])
      const [{ form } = { form: new URLSearchParams() }] = simulator.entra.forms
      expect(Object.fromEntries(form)).toMatchObject({
        grant_type: 'client_credentials',
        client_id: simulator.entra.clientId,
        client_secret: 'good',
      })
      expect(form.get('scope')?.split(' ')).toContain(scopes[0])
    },
  )

  test('an exchange with the token endpoint uses no cached token', async () => {
    const { get } = authority()
    const tokens = [await get(), await get()].map(({ result }) => result.accessToken)
    expect(new Set(tokens).size).toBe(2)
    await expect(get('wrong')).rejects.toThrow('AADSTS7000215')
    simulator.entra.clientSecrets.add('wrong')
    expect((await get('wrong')).result.accessToken).toBeTruthy()
  })

  test('an exchange with the token endpoint returns the refresh token of the response', async () => {
    const { exchange, operation } = authority()
    const token = simulator.entra.issueRefreshToken()
    const { refreshToken } = await exchange({ clientSecret: 'good' }, operation, client =>
      client.acquireTokenByRefreshToken({ scopes, refreshToken: token }),
    )
    expect(refreshToken).toMatch(/^1\.A/)
    expect(refreshToken).not.toBe(token)
  })

  test('an exchange with the token endpoint without a result is an outage', async () => {
    const { exchange, operation } = authority()
    await expect(exchange({ clientSecret: 'good' }, operation, async () => null)).rejects.toMatchObject({
      code: 'authority_unavailable',
    })
  })
})

describe('a refusal of the token endpoint', () => {
  test.each([
    [
      'a wrong secret',
      entraError('invalid_client', 7000215, 'Invalid client secret.'),
      'credential_rejected',
      'AADSTS7000215',
    ],
    ['a demand for MFA', entraError('interaction_required', 50076, 'MFA.'), 'mfa_required', 'AADSTS50076'],
    ['an unknown audience', entraError('invalid_resource', 500011, 'Unknown.'), 'wrong_audience', 'AADSTS500011'],
    ['an error without codes', { error: 'invalid_grant' }, 'credential_rejected', 'invalid_grant'],
    ['an error of another shape', { error: { code: 5 } }, 'credential_rejected', 'http_400'],
    ['nothing', undefined, 'credential_rejected', 'http_400'],
  ])('a refusal of the token endpoint by %s needs a person, and is not retried', async (_, body, code, text) => {
    fail(400, body)
    const { get, clock } = authority()
    await expect(get()).rejects.toMatchObject({ code, message: expect.stringContaining(text) })
    expect(simulator.entra.forms).toHaveLength(1)
    expect(clock.slept).toEqual([])
  })

  test('a refusal of the token endpoint without JSON is reported with its status', async () => {
    const html = { status: 403, headers: {}, body: Buffer.from('<html>proxy</html>') }
    const { get } = authority({ transport: async () => html })
    await expect(get()).rejects.toMatchObject({
      code: 'credential_rejected',
      message: expect.stringContaining('(http_403)'),
    })
  })

  test('a refusal of the token endpoint does not reveal the secret or the endpoint’s text', async () => {
    fail(401, { ...entraError('invalid_client', 7000215, 'The secret good-secret is wrong.'), error_uri: 'https://x' })
    simulator.entra.clientSecrets.add('good-secret')
    const error: unknown = await authority()
      .get('good-secret')
      .catch((error: unknown) => error)
    expect(String(error)).not.toMatch(/good-secret|Trace ID/)
  })
})

describe('an outage of the token endpoint', () => {
  test('an outage of the token endpoint that clears is not visible to the caller, who waits as the endpoint says', async () => {
    fail(503, {}, { 'retry-after': '7' })
    fail(429, {}, { 'retry-after': '2' })
    fail(500)
    const { get, clock, operation } = authority()
    expect((await get()).result.accessToken).toBeTruthy()
    expect(clock.slept).toEqual([7000, 2000, 1000])
    expect(operation.logged.map(({ event }) => event)).toEqual(['retry', 'retry', 'retry'])
  })

  test.each([408, 429, 500, 502, 503, 504])(
    'a %i of the token endpoint is an outage after four tries',
    async status => {
      for (let tries = 0; tries < 4; tries++) fail(status, {}, { 'retry-after': '11' })
      const { get } = authority()
      await expect(get()).rejects.toMatchObject({
        code: 'authority_unavailable',
        options: { retryAfterSeconds: 11 },
        message: expect.stringContaining('11 seconds'),
      })
      expect(simulator.entra.forms).toHaveLength(4)
    },
  )

  test.each([501, 505, 520])('a %i of the token endpoint is an outage, not a rejected credential', async status => {
    for (let tries = 0; tries < 4; tries++) fail(status)
    await expect(authority().get()).rejects.toMatchObject({ code: 'authority_unavailable' })
  })

  test.each([301, 302, 307])('a redirect %i of the token endpoint is an outage', async status => {
    for (let tries = 0; tries < 4; tries++) fail(status, {}, { location: 'https://proxy.example/' })
    await expect(authority().get()).rejects.toMatchObject({ code: 'authority_unavailable' })
  })

  test('an outage of the token endpoint with a wait past the deadline fails at once', async () => {
    fail(429, {}, { 'retry-after': '3600' })
    const { get, clock } = authority()
    await expect(get()).rejects.toMatchObject({ code: 'authority_unavailable', options: { retryAfterSeconds: 3600 } })
    expect(clock.slept).toEqual([])
  })

  test.each(['network', 'too-large', 'undecodable'] as const)(
    'a fault below HTTP at the token endpoint is an outage: %s',
    async kind => {
      const fault = new TransportError(kind, 'no use')
      const { get } = authority({ transport: () => Promise.reject(fault) })
      await expect(get()).rejects.toMatchObject({
        code: 'authority_unavailable',
        options: { retryAfterSeconds: 30 },
        cause: fault,
      })
    },
  )

  test('a response of the token endpoint that is not JSON is an outage', async () => {
    const html = { status: 200, headers: {}, body: Buffer.from('<html>proxy</html>') }
    const { get } = authority({ transport: async () => html })
    await expect(get()).rejects.toMatchObject({
      code: 'authority_unavailable',
      message: expect.not.stringContaining('<'),
    })
  })

  test.each(['{}', '{"access_token":""}', '[]', 'null'])(
    'a response of the token endpoint without a token is an outage: %s',
    async text => {
      const empty = { status: 200, headers: {}, body: Buffer.from(text) }
      const { get } = authority({ transport: async () => empty })
      await expect(get()).rejects.toMatchObject({ code: 'authority_unavailable' })
    },
  )
})

test('a byte-order mark before the token response is ignored', async () => {
  const body = Buffer.from('\uFEFF{"token_type":"Bearer","expires_in":"120","access_token":"abc"}')
  const { result, expiresInSeconds } = await authority({
    transport: async () => ({ status: 200, headers: {}, body }),
  }).get()
  expect(result.accessToken).toBe('abc')
  expect(expiresInSeconds).toBe(120)
})

test('a caller whose deadline passes gets that error, not a rejected credential', async () => {
  const reason = new Error('the deadline has passed')
  const { get, operation } = authority({
    transport: ({ deadline: { signal } }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  })
  const token = get()
  setImmediate(() => operation.abort(reason))
  await expect(token).rejects.toBe(reason)
})
