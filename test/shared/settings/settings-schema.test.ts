import { describe, expect, test } from 'vitest'
import { isAppError } from '../../../shared/errors.ts'
import { parseSettings, settingNames } from '../../../shared/settings/settings-schema.ts'
import type { Environment, Settings } from '../../../shared/settings.ts'

const tenant = '0aaaaaaa-0000-4000-8000-000000000001'
const client = '0aaaaaaa-0000-4000-8000-000000000002'
const identity = '0aaaaaaa-0000-4000-8000-000000000003'
const other = '0aaaaaaa-0000-4000-8000-000000000004'

const least: Environment = {
  PARTNER_CENTER_TENANT_ID: tenant,
  PARTNER_CENTER_CLIENT_ID: client,
  KEY_VAULT_URI: 'https://vault.example',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
}

const parse = (env: Environment = {}): Settings => parseSettings({ ...least, ...env })

/** The message that lists the faults. */
function faultsOf(env: Environment): string {
  try {
    parseSettings(env)
  } catch (error) {
    if (!isAppError(error)) throw error
    expect(error.code).toBe('app_misconfigured')
    expect(error.message).toMatch(/^Settings to fix: .*\.$/)
    return error.message
  }
  throw new Error('No fault was found')
}

describe('settings', () => {
  test('settings have the documented defaults', () => {
    expect(parse()).toEqual({
      partnerTenantId: tenant,
      clientId: client,
      cloud: 'global',
      credential: 'secret',
      baseUrl: 'https://api.partnercenter.microsoft.com',
      authority: 'https://login.microsoftonline.com',
      audience: 'https://api.partnercenter.microsoft.com',
      keyVaultUri: 'https://vault.example',
      secretNames: {
        clientSecret: 'partner-center-client-secret',
        certificate: 'partner-center-client-certificate',
        refreshToken: 'partner-center-refresh-token',
      },
      requestsPerMinute: 450,
      concurrency: 5,
      deadlineSeconds: 100,
      followsLog: true,
      snapshots: { container: 'order-snapshots', customersPerPart: 50 },
      hostStorage: { kind: 'connection-string', connectionString: 'UseDevelopmentStorage=true' },
      snapshotStorage: { kind: 'connection-string', connectionString: 'UseDevelopmentStorage=true' },
      inAzure: false,
    })
  })

  test.each<[string, string, Partial<Settings>]>([
    ['PARTNER_CENTER_TENANT_ID', other.toUpperCase(), { partnerTenantId: other }],
    ['PARTNER_CENTER_CLIENT_ID', other.toUpperCase(), { clientId: other }],
    ['PARTNER_CENTER_CLOUD', 'GLOBAL', { cloud: 'global' }],
    ['PARTNER_CENTER_CREDENTIAL', 'Certificate', { credential: 'certificate' }],
    ['PARTNER_CENTER_CREDENTIAL', 'federated', { credential: 'federated' }],
    ['PARTNER_CENTER_CREDENTIAL', 'refresh-token', { credential: 'refresh-token' }],
    ['KEY_VAULT_URI', 'https://vault.example/', { keyVaultUri: 'https://vault.example' }],
    ['PARTNER_CENTER_BASE_URL', 'https://gateway.example/pc/v1/', { baseUrl: 'https://gateway.example/pc' }],
    ['PARTNER_CENTER_BASE_URL', 'https://gateway.example/v1', { baseUrl: 'https://gateway.example' }],
    ['PARTNER_CENTER_BASE_URL', 'https://gateway.example/v10', { baseUrl: 'https://gateway.example/v10' }],
    ['PARTNER_CENTER_BASE_URL', 'http://127.0.0.1:8080', { baseUrl: 'http://127.0.0.1:8080' }],
    ['PARTNER_CENTER_BASE_URL', 'http://localhost:8080/', { baseUrl: 'http://localhost:8080' }],
    ['PARTNER_CENTER_BASE_URL', 'http://[::1]:8080', { baseUrl: 'http://[::1]:8080' }],
    ['AZURE_AUTHORITY_HOST', 'https://login.example//', { authority: 'https://login.example' }],
    ['AZURE_AUTHORITY_HOST', 'http://127.9.9.9', { authority: 'http://127.9.9.9' }],
    ['PARTNER_CENTER_REQUESTS_PER_MINUTE', '500', { requestsPerMinute: 500 }],
    ['PARTNER_CENTER_CONCURRENCY', '1', { concurrency: 1 }],
    ['REQUEST_DEADLINE_SECONDS', ' 220 ', { deadlineSeconds: 220 }],
    ['AZURE_CLIENT_ID', identity.toUpperCase(), { managedIdentityClientId: identity }],
    ['IDENTITY_ENDPOINT', 'http://169.254.1.1', { inAzure: true }],
    ['WEBSITE_INSTANCE_ID', 'abc', { inAzure: true }],
    ['SNAPSHOT_SCHEDULE', '0 30 1 * * *', {}],
    ['FOLLOW_SCHEDULE', 'OFF', { followsLog: false }],
    ['FOLLOW_SCHEDULE', '0 */5 * * * *', { followsLog: true }],
    ['SNAPSHOT_CONTAINER', 'abc', { snapshots: { container: 'abc', customersPerPart: 50 } }],
    ['SNAPSHOT_CUSTOMERS_PER_PART', '1000', { snapshots: { container: 'order-snapshots', customersPerPart: 1000 } }],
    [
      'SNAPSHOT_OVERDUE_MINUTES',
      '10080',
      { snapshots: { container: 'order-snapshots', customersPerPart: 50, overdueMinutes: 10_080 } },
    ],
    [
      'SNAPSHOT_CUSTOMERS',
      other,
      { snapshots: { container: 'order-snapshots', customers: [other], customersPerPart: 50 } },
    ],
    [
      'SNAPSHOT_CUSTOMERS',
      ` ${tenant.toUpperCase()}, ${client};${other} `,
      { snapshots: { container: 'order-snapshots', customers: [tenant, client, other], customersPerPart: 50 } },
    ],
  ])('the setting %s can be "%s"', (name, value, expected) => {
    expect(parse({ [name]: value })).toEqual({ ...parse(), ...expected })
  })

  test.each([
    ['PARTNER_CENTER_CLIENT_SECRET_NAME', 'clientSecret'],
    ['PARTNER_CENTER_CERTIFICATE_NAME', 'certificate'],
    ['PARTNER_CENTER_REFRESH_TOKEN_NAME', 'refreshToken'],
  ] as const)('%s names a secret of the vault', (name, member) => {
    for (const right of ['My-Secret-10', 'a', 'x'.repeat(127)]) {
      expect(parse({ [name]: right }).secretNames[member]).toBe(right)
    }
    for (const wrong of ['my_secret', 'my secret', 'a/b', 'x'.repeat(128), 'é']) {
      expect(faultsOf({ ...least, [name]: wrong })).toContain(`${name} must be a Key Vault name`)
    }
  })

  test.each([
    ['global', 'https://api.partnercenter.microsoft.com', 'https://login.microsoftonline.com'],
    ['usgov', 'https://api.partnercenter.microsoft.com', 'https://login.microsoftonline.us'],
    ['China', 'https://partner.partnercenterapi.microsoftonline.cn', 'https://login.partner.microsoftonline.cn'],
    ['germany', 'https://api.partnercenter.microsoft.com', 'https://login.microsoftonline.de'],
  ])('the cloud %s has its own addresses', (cloud, baseUrl, authority) => {
    expect(parse({ PARTNER_CENTER_CLOUD: cloud })).toMatchObject({ cloud: cloud.toLowerCase(), baseUrl, authority })
    const overridden = { PARTNER_CENTER_CLOUD: cloud, AZURE_AUTHORITY_HOST: 'https://a.example' }
    expect(parse(overridden)).toMatchObject({ baseUrl, authority: 'https://a.example' })
  })

  test('settings that are empty count as absent', () => {
    const cleared = Object.fromEntries(settingNames.filter(name => !(name in least)).map(name => [name, '  ']))
    expect(parse({ ...cleared, SnapshotStorage: '', IDENTITY_ENDPOINT: '', WEBSITE_INSTANCE_ID: undefined })).toEqual(
      parse(),
    )
  })
})

describe('a malformed setting', () => {
  test.each([
    ['PARTNER_CENTER_TENANT_ID', ['contoso.com', `${tenant}0`, `{${tenant}}`], 'must be a GUID'],
    ['PARTNER_CENTER_CLIENT_ID', ['x', tenant.slice(1)], 'must be a GUID'],
    ['AZURE_CLIENT_ID', ['x'], 'must be a GUID'],
    ['PARTNER_CENTER_CLOUD', ['mars', 'constructor'], 'must be one of global, usgov, china, germany'],
    [
      'PARTNER_CENTER_CREDENTIAL',
      ['password', 'refresh_token'],
      'must be one of secret, certificate, federated, refresh-token',
    ],
    ['KEY_VAULT_URI', ['http://127.0.0.1', 'vault.example', 'https://v/?a=1', 'https://u:p@v'], 'must be an https URL'],
    [
      'PARTNER_CENTER_BASE_URL',
      [
        ...[
          'http://api.example',
          'api.example',
          'ftp://api.example',
          'https://',
          'https://a.example/?b',
          'https://u@a.example',
        ],
        ...['http://127.0.0.1.evil.example', 'http://localhost.evil.example', 'http://10.0.0.1', 'http://0.0.0.0'],
      ],
      'must be an https URL (http on loopback only)',
    ],
    ['AZURE_AUTHORITY_HOST', ['http://login.example', 'login'], 'must be an https URL (http on loopback only)'],
    [
      'PARTNER_CENTER_REQUESTS_PER_MINUTE',
      ['0', '100001', '-1', '1.5', '1e2', 'x', '9999999999'],
      'must be a whole number from 1 to 100000',
    ],
    ['PARTNER_CENTER_CONCURRENCY', ['0', '101'], 'must be a whole number from 1 to 100'],
    ['REQUEST_DEADLINE_SECONDS', ['0', '221'], 'must be a whole number from 1 to 220'],
    ['SNAPSHOT_CUSTOMERS_PER_PART', ['0', '1001'], 'must be a whole number from 1 to 1000'],
    ['SNAPSHOT_OVERDUE_MINUTES', ['0', '10081'], 'must be a whole number from 1 to 10080'],
    [
      'FOLLOW_SCHEDULE',
      ['daily', '* * *', 'on'],
      'must be an NCRONTAB expression of six fields, such as 0 */10 * * * *, or off',
    ],
    ['SNAPSHOT_SCHEDULE', ['daily', '* * *'], 'must be an NCRONTAB expression of six fields, such as 0 20 0 * * *'],
    ['SNAPSHOT_CONTAINER', ['ab', 'Abc', 'a--b', '-ab', 'ab-', 'a_b', 'x'.repeat(64)], 'must be a container name'],
    ['SNAPSHOT_CUSTOMERS', ['all', `${tenant},x`, `${tenant}0`, ',', ';;'], 'must be a comma-separated list of GUIDs'],
  ])('a malformed %s is reported with its expected form', (name, values, form) => {
    for (const value of values) {
      const faults = faultsOf({ ...least, [name]: value })
      expect(faults, value).toContain(`${name} ${form}`)
      expect(faults.split(';'), value).toHaveLength(1)
    }
  })

  test('malformed settings are listed all at once, each once', () => {
    const faults = faultsOf({
      PARTNER_CENTER_CLIENT_ID: 'x',
      PARTNER_CENTER_CLOUD: 'mars',
      SNAPSHOT_CUSTOMERS: 'a,b,c',
      AzureWebJobsStorage: 'nothing',
      SnapshotStorage__clientId: tenant,
    })
    const list = faults.slice('Settings to fix: '.length, -1).split('; ')
    expect(list.map(fault => fault.split(' ')[0]).toSorted()).toEqual([
      'AzureWebJobsStorage',
      'KEY_VAULT_URI',
      'PARTNER_CENTER_CLIENT_ID',
      'PARTNER_CENTER_CLOUD',
      'PARTNER_CENTER_TENANT_ID',
      'SNAPSHOT_CUSTOMERS',
      'SnapshotStorage',
    ])
    expect(faults).toContain('PARTNER_CENTER_TENANT_ID is required')
  })

  test('the value of a malformed setting is never repeated', () => {
    const faults = faultsOf({
      ...Object.fromEntries(settingNames.map(name => [name, 'hunter2 ?'])),
      AzureWebJobsStorage: 'hunter2',
      SnapshotStorage__blobServiceUri: 'hunter2',
    })
    expect(faults.split(';').length).toBeGreaterThanOrEqual(settingNames.length)
    expect(faults).not.toContain('hunter2')
  })
})

test('a vault is required unless the identity of the app signs in', () => {
  const { KEY_VAULT_URI: _, ...without } = least
  for (const credential of [undefined, 'secret', 'certificate', 'refresh-token', 'Refresh-Token']) {
    expect(faultsOf({ ...without, PARTNER_CENTER_CREDENTIAL: credential })).toContain(
      'KEY_VAULT_URI is required unless',
    )
  }
  expect(parseSettings({ ...without, PARTNER_CENTER_CREDENTIAL: 'FEDERATED' })).not.toHaveProperty('keyVaultUri')
})

test('the names of all settings are known', () => {
  expect(settingNames).toHaveLength(20)
  expect(settingNames).toEqual(expect.arrayContaining(['KEY_VAULT_URI', 'SNAPSHOT_SCHEDULE', 'AZURE_CLIENT_ID']))
})
