import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Simulator, startSimulator } from '../../../local/simulator/simulator.ts'
import { type App, createApp } from '../../../shared/app.ts'
import { type CloudName, clouds } from '../../../shared/clouds.ts'
import type { CredentialKind } from '../../../shared/settings.ts'
import { createCertificate } from '../../support/certificates.ts'
import { createOperation } from '../../support/operations.ts'
import { trust } from '../../support/trust.ts'

let simulator: Simulator

/** One simulator for all tests, because MSAL keeps the tokens of a managed identity for the life of the process. */
beforeAll(async () => {
  simulator = await startSimulator({ customers: 1 })
  trust(simulator.certificate)
})
afterAll(() => simulator.stop())

beforeEach(() => {
  const { entra, keyVault, partnerCenter } = simulator
  entra.trustsManagedIdentity = true
  entra.clientSecrets = new Set(['the-secret'])
  entra.certificates.clear()
  entra.failures = []
  entra.forms = []
  entra.identityRequests = []
  keyVault.failures = []
  keyVault.secrets.clear()
  keyVault.store('partner-center-client-secret', 'the-secret')
  partnerCenter.audience = clouds.global.audience
  partnerCenter.requests = []
})

const appWith = (settings: Record<string, string>): App => {
  Object.assign(process.env, {
    IDENTITY_ENDPOINT: simulator.settings.IDENTITY_ENDPOINT,
    IDENTITY_HEADER: simulator.settings.IDENTITY_HEADER,
  })
  return createApp({ env: { ...simulator.settings, AzureWebJobsStorage: 'UseDevelopmentStorage=true', ...settings } })
}

/** One read with the app's credential. Rejects like the function. */
const reach = async (app: App) => {
  const { readOrders } = await app.readers()
  return readOrders(
    { customerTenantId: 'b0d70a69-4c42-4b27-b17b-91a835d8686a', includePrice: false, includeSystemPurchases: true },
    createOperation(),
  )
}

const lastForm = () => simulator.entra.forms.at(-1)

describe.each(Object.keys(clouds) as CloudName[])('in the cloud %s', cloud => {
  const { audience } = clouds[cloud]

  test.each<[CredentialKind, string]>([
    ['secret', '.default'],
    ['certificate', '.default'],
    ['federated', '.default'],
    ['refresh-token', 'user_impersonation'],
  ])('the credential %s gets a token for the cloud’s audience, scope %s', async (kind, scope) => {
    const { certificate, pfx } = await createCertificate()
    simulator.entra.certificates.add(certificate)
    simulator.keyVault.store('partner-center-client-certificate', pfx, { contentType: 'application/x-pkcs12' })
    simulator.keyVault.store('partner-center-refresh-token', simulator.entra.issueRefreshToken())
    simulator.partnerCenter.audience = audience

    const orders = await reach(appWith({ PARTNER_CENTER_CLOUD: cloud, PARTNER_CENTER_CREDENTIAL: kind }))

    expect(orders.orders).toHaveLength(2)
    expect(lastForm()?.path).toBe(`/${simulator.entra.tenantId}/oauth2/v2.0/token`)
    const form = lastForm()?.form
    expect(form?.get('client_id')).toBe(simulator.entra.clientId)
    expect(form?.get('scope')?.split(' ')).toContain(`${audience}/${scope}`)
    expect(form?.get('grant_type')).toBe(kind === 'refresh-token' ? 'refresh_token' : 'client_credentials')
    const provesByAssertion = kind === 'certificate' || kind === 'federated'
    expect(form?.has('client_assertion')).toBe(provesByAssertion)
    expect(form?.has('client_secret')).toBe(!provesByAssertion)
    const [sent] = simulator.partnerCenter.requests
    expect(sent?.headers.validatemfa).toBe(kind === 'refresh-token' ? 'true' : undefined)
  })
})

describe('the federated credential', () => {
  test('the federated credential exchanges an assertion of the managed identity, user-assigned if one is named', async () => {
    const id = '11111111-2222-4333-8444-555555555555'
    await reach(appWith({ PARTNER_CENTER_CREDENTIAL: 'federated', AZURE_CLIENT_ID: id, KEY_VAULT_URI: '' }))

    const [asked] = simulator.entra.identityRequests
    expect(asked?.get('resource')).toBe('api://AzureADTokenExchange')
    expect(asked?.get('client_id')).toBe(id)
  })

  test('an untrusted federated credential is rejected with what to add', async () => {
    simulator.entra.trustsManagedIdentity = false
    const failure = reach(appWith({ PARTNER_CENTER_CREDENTIAL: 'federated' }))
    await expect(failure).rejects.toMatchObject({
      code: 'credential_rejected',
      message: expect.stringContaining('api://AzureADTokenExchange'),
    })
  })
})

describe('the certificate credential', () => {
  const store = (value: string) => simulator.keyVault.store('partner-center-client-certificate', value)

  test('the certificate credential accepts PEM and PFX', async () => {
    const { certificate, pem } = await createCertificate()
    simulator.entra.certificates.add(certificate)
    store(pem)
    expect((await reach(appWith({ PARTNER_CENTER_CREDENTIAL: 'certificate' }))).orders).toHaveLength(2)
  })

  test.each([
    ['neither PEM nor a PFX', async () => 'hello world!'],
    ['neither PEM nor a PFX', async () => Buffer.from('not a pfx').toString('base64')],
    ['no private key', async () => (await createCertificate()).certificate],
    ['no certificate that matches', async () => (await createCertificate()).key],
    [
      'no certificate that matches',
      async () => (await createCertificate()).key + (await createCertificate()).certificate,
    ],
    ['not RSA', async () => (await createCertificate({ keyType: 'ec' })).pem],
    ['expired on', async () => (await createCertificate({ days: -1 })).pem],
    ['is not registered', async () => (await createCertificate()).pem],
  ])('an unusable certificate (%s) is an operator error that names the secret', async (what, value) => {
    store(await value())
    const failure = await reach(appWith({ PARTNER_CENTER_CREDENTIAL: 'certificate' })).catch(error => error)
    expect(failure).toMatchObject({ code: 'credential_rejected', message: expect.stringContaining(what) })
    if (what !== 'is not registered') expect(failure.message).toContain("'partner-center-client-certificate'")
  })
})

describe('a rejected credential', () => {
  test.each([
    [50076, 'mfa_required', 'npm run consent'],
    [50078, 'mfa_required', 'npm run consent'],
    [50173, 'credential_rejected', 'npm run consent'],
    [70008, 'credential_rejected', 'npm run consent'],
    [700007, 'credential_rejected', 'PARTNER_CENTER_CLIENT_ID'],
    [700016, 'credential_rejected', 'PARTNER_CENTER_CLIENT_ID'],
    [700082, 'credential_rejected', '90 days'],
    [7000215, 'credential_rejected', 'Key Vault'],
    [7000222, 'credential_rejected', 'expired'],
    [123456, 'credential_rejected', 'AADSTS123456'],
  ])('AADSTS%i is reported as %s with a fix', async (code, expected, fix) => {
    const body = { error: 'invalid_grant', error_description: `AADSTS${code}: secret text`, error_codes: [code] }
    simulator.entra.failures.push({ status: 400, body }, { status: 400, body })
    const failure = await reach(appWith({})).catch(error => error)

    expect(failure).toMatchObject({ code: expected, status: 424, message: expect.stringContaining(fix) })
    expect(failure.message).not.toContain('secret text')
  })

  test('a rejected credential is read from the vault again, so that a rotated one is used within one request', async () => {
    const app = appWith({})
    await reach(app)
    simulator.entra.clientSecrets.clear()
    simulator.entra.clientSecrets.add('rotated')
    simulator.keyVault.store('partner-center-client-secret', 'rotated')
    simulator.entra.revoke('app')

    expect((await reach(app)).orders).toHaveLength(2)
  })

  test('a sign-in without MFA is reported as mfa_required', async () => {
    simulator.keyVault.store('partner-center-refresh-token', simulator.entra.issueRefreshToken({ mfa: false }))
    const app = appWith({ PARTNER_CENTER_CREDENTIAL: 'refresh-token' })

    await expect(reach(app)).rejects.toMatchObject({ code: 'mfa_required' })
    const health = await (await app.readers()).credentialHealth(createOperation())
    expect(health).toMatchObject({ kind: 'refresh-token', mfaCompliant: false })
  })
})

describe('a vault secret', () => {
  test.each([
    ['empty', () => simulator.keyVault.store('partner-center-client-secret', ' '), 'key_vault_refused', 'is empty'],
    [
      'disabled',
      () => simulator.keyVault.store('partner-center-client-secret', 'x', { enabled: false }),
      'key_vault_refused',
      'is disabled',
    ],
    [
      'expired',
      () => simulator.keyVault.store('partner-center-client-secret', 'x', { expires: 1_700_000_000 }),
      'credential_rejected',
      'expired on 2023-11-14',
    ],
    ['missing', () => simulator.keyVault.secrets.clear(), 'key_vault_refused', 'has no secret'],
    [
      'forbidden',
      () => simulator.keyVault.failures.push({ status: 403, code: 'Forbidden', innerCode: 'ForbiddenByRbac' }),
      'key_vault_refused',
      'Key Vault Secrets User',
    ],
  ])('a vault secret that is %s is an operator error that names it', async (_, spoil, code, text) => {
    spoil()
    await expect(reach(appWith({}))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(
        new RegExp(`'partner-center-client-secret'.*${text}|${text}.*'partner-center-client-secret'`),
      ),
    })
  })
})
