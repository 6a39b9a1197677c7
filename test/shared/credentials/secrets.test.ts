import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type RecordedRequest, type Service, sendJson } from '../../../local/simulator/recorder.ts'
import { type Simulator, startSimulator } from '../../../local/simulator/simulator.ts'
import { createAzureCredential } from '../../../shared/credentials/azure-credential.ts'
import { createSecrets } from '../../../shared/credentials/secrets.ts'
import { AppError } from '../../../shared/errors.ts'
import { createShareCall } from '../../../shared/runtime/shared-calls.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { createOperation } from '../../support/operations.ts'
import { trust } from '../../support/trust.ts'

let simulator: Simulator
let requests: RecordedRequest[] = []

beforeAll(async () => {
  simulator = await startSimulator({ customers: 1 })
  trust(simulator.certificate)
  const { serve } = simulator.keyVault
  simulator.keyVault.serve = exchange => {
    if (exchange.request.path.startsWith('/secrets/')) requests.push(exchange.request)
    return serve(exchange)
  }
})
afterAll(() => simulator.stop())

beforeEach(() => {
  requests = []
  simulator.keyVault.failures = []
  simulator.keyVault.secrets.clear()
  vi.stubEnv('IDENTITY_ENDPOINT', simulator.settings.IDENTITY_ENDPOINT ?? '')
  vi.stubEnv('IDENTITY_HEADER', simulator.settings.IDENTITY_HEADER ?? '')
})
afterEach(() => {
  vi.unstubAllEnvs()
})

/** Secrets of the simulated vault, read with the managed identity. */
function vault(vaultUri = simulator.url) {
  const clock = createFakeClock({ now: Date.now() })
  const credential = () => createAzureCredential({ inAzure: true, authority: 'https://login.example' })
  const secrets = createSecrets({ vaultUri, credential, clock, share: createShareCall(clock) })
  const operation = createOperation({ clock })
  return {
    secrets,
    clock,
    operation,
    value: async (name = 'a', options = {}) => (await secrets.read(name, operation, options)).value,
  }
}

/**
 * The result of a read with this response of the identity endpoint. Each vault requires a token that was never issued
 * before, because the SDK keeps tokens for the life of the process.
 */
async function withoutToken(identityEndpoint: Service): Promise<unknown> {
  const { entra, keyVault } = simulator
  const [serveTokens, serveSecrets] = [entra.serve, keyVault.serve]
  entra.serve = exchange => (exchange.request.path === '/msi/token' ? Boolean(identityEndpoint(exchange)) : false)
  keyVault.serve = ({ request, response }) => {
    if (!request.path.startsWith('/secrets/')) return false
    const challenge = `Bearer authorization="${simulator.url}/tenant", resource="https://${randomUUID()}.example"`
    return sendJson(response, 401, {}, { 'www-authenticate': challenge })
  }
  try {
    return await vault().value()
  } catch (error) {
    return error
  } finally {
    entra.serve = serveTokens
    keyVault.serve = serveSecrets
  }
}

const store = (value: string, more = {}) => simulator.keyVault.store('a', value, more)
const failures = (count: number, status: number, code: string) => {
  simulator.keyVault.failures = Array.from({ length: count }, () => ({ status, code }))
}

describe('a secret', () => {
  test('a secret is read with its properties, after the challenge of the vault', async () => {
    const expires = Math.floor(Date.now() / 1000) + 86_400
    store('the value\n', { created: 1_700_000_000, expires, contentType: 'text/plain', tags: { a: 'b' } })
    const { secrets, operation } = vault()

    expect(await secrets.read('a', operation)).toEqual({
      name: 'a',
      value: 'the value',
      createdAt: 1_700_000_000_000,
      expiresAt: expires * 1000,
      contentType: 'text/plain',
      tags: { a: 'b' },
    })
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      expect.stringMatching(/^Bearer simulated-/),
    ])
  })

  test('a secret without properties has only its value', async () => {
    store('x')
    const { secrets, operation } = vault()
    expect(await secrets.read('a', operation)).toEqual({
      name: 'a',
      value: 'x',
      createdAt: expect.any(Number),
      tags: {},
    })
  })

  test('a secret is at most five minutes old', async () => {
    store('old')
    const { value, clock } = vault()
    expect(await value()).toBe('old')
    store('new')
    await clock.advance(300_000 - 1)
    expect(await value()).toBe('old')
    await clock.advance(1)
    expect(await value()).toBe('new')
  })

  test('a fresh read bypasses the cache and updates it', async () => {
    store('old')
    const { value } = vault()
    await value()
    store('new')
    expect(await value('a', { fresh: true })).toBe('new')
    requests = []
    expect([await value(), requests.length]).toEqual(['new', 0])
  })

  test('a secret is read once for simultaneous callers, and another secret separately', async () => {
    store('x')
    simulator.keyVault.store('b', 'y')
    const { value } = vault()
    await value('b')
    requests = []
    const reads = [value(), value(), value('a', { fresh: true }), value('b', { fresh: true })]
    expect((await Promise.all(reads)).join()).toBe('x,x,x,y')
    expect(requests.map(({ path }) => path).toSorted()).toEqual(['/secrets/a/', '/secrets/b/'])
  })

  test('a written secret is a new version with an expiry date, and replaces the cached one', async () => {
    store('old')
    const { secrets, value, operation, clock } = vault()
    await value()
    const expiresAt = Math.floor(clock.now() / 1000) * 1000 + 86_400_000
    await secrets.write('a', { value: 'new', expiresAt, tags: { by: 'test' } }, operation)

    expect(simulator.keyVault.secrets.get('a')).toMatchObject([
      { value: 'old' },
      { value: 'new', expires: expiresAt / 1000, tags: { by: 'test' } },
    ])
    expect(await secrets.read('a', operation)).toMatchObject({ value: 'new', expiresAt })
  })
})

describe('an unavailable secret', () => {
  test.each<[string, string, () => void]>([
    ['is missing', 'has no secret', () => undefined],
    ['is disabled', 'is disabled', () => store('x', { enabled: false })],
    ['is empty', 'is empty', () => store(' \n')],
    ['is forbidden', 'Key Vault Secrets User', () => failures(1, 403, 'Forbidden')],
    ['is of another tenant', 'own tenant', () => failures(2, 401, 'Unauthorized')],
    ['has a malformed name', 'returned 400', () => failures(1, 400, 'BadParameter')],
  ])('a secret that %s is an operator error that names it', async (_, text, arrange) => {
    arrange()
    const { value } = vault()
    await expect(value()).rejects.toMatchObject({
      code: 'key_vault_refused',
      status: 424,
      message: expect.stringMatching(new RegExp(`'a'.*${text}|${text}.*'a'`)),
    })
  })

  test('an expired secret is a rejected credential', async () => {
    const { value, clock } = vault()
    store('x', { expires: Math.floor(clock.now() / 1000) })
    await expect(value()).rejects.toThrow("'a' expired on 2")
    await expect(value()).rejects.toMatchObject({ code: 'credential_rejected' })
  })

  test('a failed read of a secret is repeated for the next caller', async () => {
    const { value } = vault()
    await expect(value()).rejects.toMatchObject({ code: 'key_vault_refused' })
    store('x')
    expect(await value()).toBe('x')
  })

  test('a refused secret is not replaced by the cached one', async () => {
    store('x')
    const { value, clock } = vault()
    await value()
    await clock.advance(300_000)
    failures(1, 403, 'Forbidden')
    await expect(value()).rejects.toMatchObject({ code: 'key_vault_refused' })
  })

  test('a refused identity is an operator error', async () => {
    const failure = await withoutToken(({ response }) => sendJson(response, 400, { error: 'invalid_request' }))
    expect(failure).toMatchObject({ code: 'key_vault_refused', message: expect.stringContaining('No Azure identity') })
  })
})

describe('an outage of the vault', () => {
  test('an outage of the vault that clears is not visible to the caller', async () => {
    store('x')
    failures(1, 503, 'ServiceUnavailable')
    expect(await vault().value()).toBe('x')
    expect(requests).toHaveLength(3)
  })

  test('an outage of the vault keeps cached secrets in use, and fails new and fresh reads', async () => {
    store('x')
    simulator.keyVault.store('b', 'y')
    const { value, clock, operation } = vault()
    expect([await value('a'), await value('b')]).toEqual(['x', 'y'])
    await clock.advance(3_600_000)
    failures(99, 503, 'ServiceUnavailable')

    const unavailable = { code: 'key_vault_unavailable', status: 503, options: { retryAfterSeconds: 30 } }
    const [kept, fresh, unknown, unreachable] = await Promise.allSettled([
      value('a'),
      value('b', { fresh: true }),
      value('c'),
      vault('https://127.0.0.1:9').value(),
    ])
    expect(kept).toEqual({ status: 'fulfilled', value: 'x' })
    for (const result of [fresh, unknown, unreachable])
      expect(result).toMatchObject({ status: 'rejected', reason: unavailable })
    expect(operation.logged).toMatchObject([{ level: 'warn', event: 'key_vault_outage', fields: { secret: 'a' } }])

    simulator.keyVault.failures = []
    store('z')
    // For half a minute, callers do not wait for the vault's retries.
    expect(await value('a')).toBe('x')
    await clock.advance(30_000)
    expect(await value('a')).toBe('z')
  })

  test('an outage of the vault fails the caller within its deadline', async () => {
    store('x')
    const { serve } = simulator.keyVault
    const { value, operation } = vault()
    const reason = new Error('the deadline has passed')
    simulator.keyVault.serve = () => {
      setImmediate(() => operation.abort(reason))
      return true
    }
    await expect(value()).rejects.toBe(reason)
    simulator.keyVault.serve = serve
  })

  test.each<[string, Service]>([
    ['401', ({ response }) => sendJson(response, 401, { error: 'unauthorized' })],
    ['500', ({ response }) => sendJson(response, 500, { error: 'down' })],
    ['503', ({ response }) => sendJson(response, 503, { error: 'down' })],
    ['a page', ({ response }) => response.writeHead(200).end('<html>') !== undefined],
    ['no token', ({ response }) => sendJson(response, 200, {})],
    // Statuses that the SDK does not retry itself.
    ['501', ({ response }) => sendJson(response, 501, { error: 'down' })],
    ['429', ({ response }) => sendJson(response, 429, { error: 'throttled' })],
    ['a reset', ({ response }) => response.socket?.destroy() !== undefined],
  ])('an outage of the identity endpoint is an outage of the vault: %s', async (_, endpoint) => {
    expect(await withoutToken(endpoint)).toMatchObject({ code: 'key_vault_unavailable' })
  })
})

test('a credential that could not be created is created again for the next caller', async () => {
  store('x')
  const credential = vi.fn(() => createAzureCredential({ inAzure: true, authority: 'https://login.example' }))
  credential.mockRejectedValueOnce(new Error('a module could not be loaded'))
  const clock = createFakeClock({ now: Date.now() })
  const secrets = createSecrets({ vaultUri: simulator.url, credential, clock, share: createShareCall(clock) })
  await expect(secrets.read('a', createOperation())).rejects.toBeInstanceOf(AppError)
  expect((await secrets.read('a', createOperation())).value).toBe('x')
})
