import { readFile } from 'node:fs/promises'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { root } from '../../local/build/bundle.ts'
import { isAppError } from '../../shared/errors.ts'
import { defaultSnapshotSchedule, isSchedule } from '../../shared/settings/schedule.ts'
import {
  type Environment,
  followSchedule,
  leastNode,
  readSettings,
  type StorageConnection,
  snapshotSchedule,
} from '../../shared/settings.ts'

const id = 'aaaaaaaa-0000-4000-8000-000000000001'
const base: Environment = {
  PARTNER_CENTER_TENANT_ID: id,
  PARTNER_CENTER_CLIENT_ID: id,
  KEY_VAULT_URI: 'https://vault.example',
}

const storageOf = async (env: Environment) => {
  const { hostStorage, snapshotStorage } = await readSettings({ ...base, ...env })
  return { hostStorage, snapshotStorage }
}

const faultsOf = (env: Environment): Promise<string> =>
  readSettings({ ...base, ...env }).then(
    () => 'none',
    (error: unknown) => (isAppError(error) && error.code === 'app_misconfigured' ? error.message : String(error)),
  )

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

test('settings come from the environment of the process', async () => {
  for (const [name, value] of Object.entries({ ...base, AzureWebJobsStorage: 'UseDevelopmentStorage=true' })) {
    vi.stubEnv(name, value)
  }
  vi.stubEnv('REQUEST_DEADLINE_SECONDS', '42')
  expect(await readSettings()).toMatchObject({ partnerTenantId: id, deadlineSeconds: 42 })
  vi.stubEnv('SNAPSHOT_SCHEDULE', '0 0 5 * * *')
  expect(snapshotSchedule()).toBe('0 0 5 * * *')
})

test.each([
  [undefined, '0 */10 * * * *'],
  ['0 0 * * * *', '0 0 * * * *'],
  ['often', '0 */10 * * * *'],
  [' Off ', undefined],
])('the activity log is followed with FOLLOW_SCHEDULE %s on %s', (text, expected) => {
  expect(followSchedule({ FOLLOW_SCHEDULE: text })).toBe(expected)
})

describe('the version of Node.js', () => {
  const env = { ...base, AzureWebJobsStorage: 'UseDevelopmentStorage=true' }
  const messageOf = (values: Environment, version: string): Promise<string> =>
    readSettings(values, version).then(
      () => 'none',
      (error: unknown) => (isAppError(error) && error.code === 'app_misconfigured' ? error.message : String(error)),
    )

  test.each(['18.20.8', '20.20.2', '21.7.3'])('Node.js %s is refused and named', async version => {
    expect(await messageOf(env, version)).toBe(
      `The app runs on Node.js ${version} and needs 22 or newer: set the Node.js version of the function app, or that of this machine.`,
    )
  })

  test.each(['22.0.0', '24.21.0', '100.0.0'])('Node.js %s is accepted', async version => {
    expect(await messageOf(env, version)).toBe('none')
  })

  test('an old Node.js is reported together with every other fault', async () => {
    const message = await messageOf({ ...env, PARTNER_CENTER_TENANT_ID: 'x', KEY_VAULT_URI: '' }, '20.20.2')
    expect(message).toMatch(/Node\.js 20\.20\.2.*PARTNER_CENTER_TENANT_ID.*KEY_VAULT_URI/)
  })

  test('an old Node.js is reported even if the check of the settings fails on it', async () => {
    const parse = vi.spyOn(URL, 'parse').mockImplementation(() => {
      throw new TypeError('URL.parse is not a function')
    })
    expect(await messageOf(env, '20.20.2')).toMatch(/^The app runs on Node\.js 20\.20\.2 .*machine\.$/)
    expect(parse).toHaveBeenCalled()
  })

  test('the least version of Node.js is that of package.json', async () => {
    const { engines } = JSON.parse(await readFile(`${root}package.json`, 'utf8')) as { engines: { node: string } }
    expect(engines.node).toBe(`>=${leastNode}`)
  })
})

describe('the storage', () => {
  const accountKey = 'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5;EndpointSuffix=core.windows.net'

  test.each([
    'UseDevelopmentStorage=true',
    'UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://proxy',
    accountKey,
    'BlobEndpoint=https://a.blob.core.windows.net;QueueEndpoint=https://a.queue.core.windows.net;SharedAccessSignature=sv=1',
    'DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:1/a;',
  ])('the storage can be the connection string %s', async connectionString => {
    const connection = { kind: 'connection-string', connectionString }
    expect(await storageOf({ AzureWebJobsStorage: connectionString })).toEqual({
      hostStorage: connection,
      snapshotStorage: connection,
    })
    expect((await storageOf({ 'ConnectionStrings:AzureWebJobsStorage': connectionString })).hostStorage).toEqual(
      connection,
    )
  })

  test.each<[Environment, StorageConnection]>([
    [
      { AzureWebJobsStorage__accountName: 'orders' },
      {
        kind: 'identity',
        blobServiceUri: 'https://orders.blob.core.windows.net',
        queueServiceUri: 'https://orders.queue.core.windows.net',
      },
    ],
    [
      {
        AzureWebJobsStorage__blobServiceUri: 'https://b.example',
        AzureWebJobsStorage__queueServiceUri: 'http://127.0.0.1:10001/a',
        AzureWebJobsStorage__credential: 'managedidentity',
        AzureWebJobsStorage__clientId: id,
      },
      {
        kind: 'identity',
        blobServiceUri: 'https://b.example',
        queueServiceUri: 'http://127.0.0.1:10001/a',
        clientId: id,
      },
    ],
    [
      { AzureWebJobsStorage__accountName: 'orders', AzureWebJobsStorage__blobServiceUri: 'https://b.example' },
      {
        kind: 'identity',
        blobServiceUri: 'https://b.example',
        queueServiceUri: 'https://orders.queue.core.windows.net',
      },
    ],
  ])('the storage can be an account with the identity of the app: %j', async (env, expected) => {
    expect(await storageOf(env)).toEqual({ hostStorage: expected, snapshotStorage: expected })
  })

  test.each<[Environment, StorageConnection]>([
    [{ SnapshotStorage: accountKey }, { kind: 'connection-string', connectionString: accountKey }],
    [
      { SnapshotStorage__blobServiceUri: 'https://b.example' },
      { kind: 'identity', blobServiceUri: 'https://b.example' },
    ],
    [
      { SnapshotStorage__accountName: 'lake', SnapshotStorage__clientId: id },
      {
        kind: 'identity',
        blobServiceUri: 'https://lake.blob.core.windows.net',
        queueServiceUri: 'https://lake.queue.core.windows.net',
        clientId: id,
      },
    ],
  ])('the storage of the snapshots can be another: %j', async (env, expected) => {
    const { hostStorage, snapshotStorage } = await storageOf({
      AzureWebJobsStorage: 'UseDevelopmentStorage=true',
      ...env,
    })
    expect(snapshotStorage).toEqual(expected)
    expect(hostStorage).toEqual({ kind: 'connection-string', connectionString: 'UseDevelopmentStorage=true' })
  })

  test('the storage of the snapshots is the host’s by default', async () => {
    const env = {
      AzureWebJobsStorage: accountKey,
      SnapshotStorageAccount: 'x',
      MySnapshotStorage: 'x',
      SnapshotStorage: ' ',
    }
    expect((await storageOf(env)).snapshotStorage).toEqual({ kind: 'connection-string', connectionString: accountKey })
  })

  test.each<[Environment, string]>([
    [{}, 'AzureWebJobsStorage (or AzureWebJobsStorage__accountName'],
    [
      { AzureWebJobsStorage: 'https://a.blob.core.windows.net' },
      'AzureWebJobsStorage must be a storage connection string',
    ],
    [{ AzureWebJobsStorage: 'XUseDevelopmentStorage=true' }, 'AzureWebJobsStorage must be a storage connection string'],
    [{ AzureWebJobsStorage: 'NotAccountName=a' }, 'AzureWebJobsStorage must be a storage connection string'],
    [{ AzureWebJobsStorage__credential: 'managedidentity' }, 'AzureWebJobsStorage (or'],
    [{ AzureWebJobsStorage__queueServiceUri: 'https://q.example' }, 'AzureWebJobsStorage (or'],
    [
      {
        AzureWebJobsStorage__blobServiceUri: 'http://b.example',
        AzureWebJobsStorage__queueServiceUri: 'https://q.example',
      },
      'AzureWebJobsStorage__blobServiceUri must be an https URL',
    ],
    [
      { AzureWebJobsStorage__blobServiceUri: 'https://b.example', AzureWebJobsStorage__queueServiceUri: 'q' },
      'AzureWebJobsStorage__queueServiceUri must be an https URL',
    ],
    [
      { AzureWebJobsStorage: 'UseDevelopmentStorage=true', SnapshotStorage: 'x' },
      'SnapshotStorage must be a storage connection string',
    ],
    [
      { AzureWebJobsStorage: 'UseDevelopmentStorage=true', SnapshotStorage__credential: 'x' },
      'SnapshotStorage (or SnapshotStorage__accountName',
    ],
  ])('the storage %j is refused with the expected form', async (env, expected) => {
    expect(await faultsOf(env)).toContain(expected)
  })

  test('the storage of the host needs a queue address beside its blob address', async () => {
    expect(await faultsOf({ AzureWebJobsStorage__blobServiceUri: 'https://b.example' })).toContain(
      'AzureWebJobsStorage__queueServiceUri',
    )
  })

  test.each(['evil.example/', 'evil.example#', 'has-hyphen'])('the storage has no account named %s', async name => {
    expect(await faultsOf({ AzureWebJobsStorage__accountName: name })).toContain('AzureWebJobsStorage__accountName')
  })
})

describe('a schedule', () => {
  test.each([
    '0 20 0 * * *',
    '20 0 * * *',
    '  0 20 0 * * *  ',
    '0\t20  0 * * *',
    '*/15 * * * * *',
    '0 0-30/10 9-17 1,15 1-12 1-5',
    '0 0 0 * Jan,jul Mon-FRI',
    '0 0 0 * january sunday',
    '59 59 23 31 12 6',
    '0 0 0 1 1 0',
    '0 5/10 * * * *',
    '*/5 * * * * *',
  ])('a schedule can be %j', text => {
    expect(isSchedule(text)).toBe(true)
    expect(snapshotSchedule({ SNAPSHOT_SCHEDULE: text })).toBe(text.trim())
  })

  test.each([
    ...['', ' ', 'daily', '@daily', '* * * *', '0 0 20 0 * * *', '60 * * * * *', '* 60 * * * *', '* * 24 * * *'],
    ...['* * * 0 * *', '* * * 32 * *', '* * * * 0 *', '* * * * 13 *', '* * * * * 8', '-1 * * * * *', '1.5 * * * * *'],
    ...[
      '*/0 * * * * *',
      '*/ * * * * *',
      '/5 * * * * *',
      '1- * * * * *',
      '-5 * * * * *',
      '1-2-3 * * * * *',
      ', * * * * *',
    ],
    ...[
      '1,,2 * * * * *',
      '1, * * * * *',
      '*-5 * * * * *',
      '? * * * * *',
      '* * L * * *',
      '0 0 0 * foo *',
      '000 * * * * *',
    ],
    ...['*/x * * * * *', '*/5/5 * * * * *', '24:00:00', '%SCHEDULE%'],
  ])('a schedule cannot be %j, and the default is used', text => {
    expect(isSchedule(text)).toBe(false)
    expect(snapshotSchedule({ SNAPSHOT_SCHEDULE: text })).toBe(defaultSnapshotSchedule)
  })

  test.each(['mon 0 0 * * *', '0 jan 0 * * *', '0 0 fri * * *', '0 0 0 mon * *', '0 0 0 * mon *', '0 0 0 * * jan'])(
    'a schedule has the names of months and days only in their fields, unlike %s',
    text => {
      expect(isSchedule(text)).toBe(false)
    },
  )

  test.each(['0 0 0 * * monkey', '0 0 0 * marvel *', '0 0 0 * * sun-money'])(
    'a schedule rejects the name in %s',
    text => {
      expect(isSchedule(text)).toBe(false)
    },
  )

  test('a schedule counts the days of a week from 0 to 6, as the platform does', () => {
    expect(isSchedule('0 0 0 * * 7')).toBe(false)
  })

  test('a schedule has a default', () => {
    expect(snapshotSchedule({})).toBe('0 20 0 * * *')
  })
})
