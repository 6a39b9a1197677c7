import { describe, expect, test } from 'vitest'
import { parseSettings, settingNames } from '../../shared/settings/settings-schema.ts'
import { clientId } from './bicep/answers.ts'
import type { Cloud } from './bicep/functions.ts'
import { oneOf } from './bicep/stack.ts'

const settingsOf = (parameters: Record<string, unknown> = {}, cloud?: Cloud): Record<string, string> =>
  oneOf('Microsoft.Web/sites/config', parameters, cloud).properties as Record<string, string>

/** The connections of host and app, in the form for every cloud. */
const connections = [
  'AzureWebJobsStorage__blobServiceUri',
  'AzureWebJobsStorage__queueServiceUri',
  'AzureWebJobsStorage__tableServiceUri',
  'AzureWebJobsStorage__credential',
  'AzureWebJobsStorage__clientId',
  'SnapshotStorage__blobServiceUri',
  'SnapshotStorage__credential',
  'SnapshotStorage__clientId',
]

/** Settings of the platform, which the app does not read. */
const platform = ['APPLICATIONINSIGHTS_CONNECTION_STRING', 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING']

/** Settings that the older plans need and Flex Consumption refuses. */
const classic = [
  'FUNCTIONS_EXTENSION_VERSION',
  'FUNCTIONS_WORKER_RUNTIME',
  'WEBSITE_RUN_FROM_PACKAGE',
  'WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID',
]

/** Settings with a default in the table of clouds, which a deployment does not set. */
const leftToDefaults = ['PARTNER_CENTER_BASE_URL', 'AZURE_AUTHORITY_HOST']

describe('the template', () => {
  test('the template sets only settings of the app, and all without a default', () => {
    const own = settingNames.filter(name => !leftToDefaults.includes(name))
    expect(Object.keys(settingsOf()).toSorted()).toEqual([...own, ...connections, ...platform].toSorted())
    expect(settingNames).toEqual(expect.arrayContaining(leftToDefaults))
  })

  test.each([
    ['premium', classic],
    // The limit of Consumption is 10 minutes. host.json has 30.
    ['consumption', ['AzureFunctionsJobHost__functionTimeout', ...classic]],
  ])('the template adds on %s the settings that this plan needs and Flex Consumption refuses', (plan, names) => {
    const more = Object.keys(settingsOf({ plan })).filter(name => !(name in settingsOf()))
    expect(more.toSorted()).toEqual(names)
    expect(settingsOf({ plan })).toMatchObject({
      FUNCTIONS_WORKER_RUNTIME: 'node',
      WEBSITE_RUN_FROM_PACKAGE: expect.stringMatching(
        /^https:\/\/ordershost\w+\.blob\.core\.windows\.net\/packages\/app\.zip$/,
      ),
      WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID: expect.stringMatching(/userAssignedIdentities\/orders-/),
    })
  })

  test('the template contains no key', () => {
    const { APPLICATIONINSIGHTS_CONNECTION_STRING: _, ...settings } = settingsOf({ plan: 'premium' })
    expect(Object.entries(settings).filter(([, value]) => /key=|sig=|AccountName/i.test(value))).toEqual([])
  })
})

describe('the app', () => {
  test.each(['secret', 'certificate', 'federated', 'refresh-token'])(
    'the app accepts the settings for credential %s',
    credential => {
      const parsed = parseSettings(settingsOf({ credential }))
      expect(parsed.credential).toBe(credential)
      expect(parsed.keyVaultUri).toEqual(
        credential === 'federated' ? undefined : expect.stringMatching(/^https:\/\/orders-\w{13}\.vault\.azure\.net$/),
      )
      expect(parsed.managedIdentityClientId).toBe(clientId)
    },
  )

  test.each([
    ['AzureCloud', 'core.windows.net'],
    ['AzureUSGovernment', 'core.usgovcloudapi.net'],
    ['AzureChinaCloud', 'core.chinacloudapi.cn'],
  ] as const)('in %s finds its storage at %s and signs in to it', (cloud, suffix) => {
    const { hostStorage, snapshotStorage } = parseSettings(settingsOf({}, cloud))
    expect(hostStorage).toEqual({
      kind: 'identity',
      blobServiceUri: expect.stringMatching(new RegExp(`^https://ordershost\\w{13}\\.blob\\.${suffix}/$`)),
      queueServiceUri: expect.stringMatching(new RegExp(`^https://ordershost\\w{13}\\.queue\\.${suffix}/$`)),
      clientId,
    })
    expect(snapshotStorage).toEqual({
      kind: 'identity',
      blobServiceUri: expect.stringMatching(new RegExp(`^https://orderssnap\\w{13}\\.blob\\.${suffix}/$`)),
      clientId,
    })
  })

  test('the app has its own defaults with the default template', () => {
    const deployed = settingsOf()
    const least = Object.fromEntries(
      Object.entries(deployed).filter(([name]) =>
        /^(PARTNER_CENTER_(TENANT|CLIENT)_ID|KEY_VAULT_URI|AZURE_CLIENT_ID|\w+Storage__\w+)$/.test(name),
      ),
    )
    expect(parseSettings(deployed)).toEqual(parseSettings(least))
    expect(deployed.SNAPSHOT_SCHEDULE).toBe('0 20 0 * * *')
  })

  test('the app gets the settings that the operator chose', () => {
    const customer = '00000000-0000-0000-0000-00000000000c'
    const parsed = parseSettings(
      settingsOf({
        partnerCloud: 'usgov',
        requestsPerMinute: 100,
        concurrency: 2,
        requestDeadlineSeconds: 60,
        snapshotContainer: 'history',
        snapshotCustomers: [customer],
        snapshotCustomersPerPart: 10,
        snapshotOverdueMinutes: 90,
        clientSecretName: 'mine',
      }),
    )
    expect(parsed).toMatchObject({
      cloud: 'usgov',
      requestsPerMinute: 100,
      concurrency: 2,
      deadlineSeconds: 60,
      secretNames: { clientSecret: 'mine' },
      snapshots: { container: 'history', customers: [customer], customersPerPart: 10, overdueMinutes: 90 },
    })
  })
})
