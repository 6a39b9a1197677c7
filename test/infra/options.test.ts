import { describe, expect, test } from 'vitest'
import { type Definition, definition, triggers } from '../support/definition.ts'
import type { Cloud } from './bicep/functions.ts'
import { allOf, deployed, oneOf } from './bicep/stack.ts'

const site = 'Microsoft.Web/sites'
const plan = (parameters: Record<string, unknown> = {}, cloud?: Cloud): string | undefined =>
  oneOf('Microsoft.Web/serverfarms', parameters, cloud).sku?.name

describe('the plan', () => {
  test.each([
    ['AzureCloud', 'FC1'],
    ['AzureUSGovernment', 'EP1'],
    ['AzureChinaCloud', 'EP1'],
  ] as const)('is by default what exists in %s: %s', (cloud, sku) => {
    expect(plan({}, cloud)).toBe(sku)
  })

  test.each([
    ['flex', 'FC1'],
    ['premium', 'EP1'],
    ['consumption', 'Y1'],
  ])('the plan is %s on request', (asked, sku) => {
    expect(plan({ plan: asked }, 'AzureUSGovernment')).toBe(sku)
  })

  test('the plan is Premium instead of Consumption with private networking', () => {
    expect(plan({ plan: 'consumption', privateNetworking: true })).toBe('EP1')
  })
})

describe('Flex Consumption', () => {
  const config = (parameters: Record<string, unknown> = {}) => oneOf(site, parameters).properties.functionAppConfig

  test('Flex Consumption runs Node 24 from a container that the app opens with its identity', () => {
    expect(config()).toEqual({
      runtime: { name: 'node', version: '24' },
      deployment: {
        storage: {
          type: 'blobContainer',
          value: expect.stringMatching(/^https:\/\/ordershost\w+\.blob\.core\.windows\.net\/packages$/),
          authentication: {
            type: 'UserAssignedIdentity',
            userAssignedIdentityResourceId: expect.stringMatching(/userAssignedIdentities\/orders-\w{13}$/),
          },
        },
      },
      scaleAndConcurrency: { instanceMemoryMB: 2048, maximumInstanceCount: 40, alwaysReady: [] },
    })
  })

  test('Flex Consumption accepts memory, maximum instances and always-ready instances', () => {
    const alwaysReady = [{ name: 'http', instanceCount: 2 }]
    expect(config({ instanceMemoryMB: 512, maximumInstanceCount: 200, alwaysReady })).toMatchObject({
      scaleAndConcurrency: { instanceMemoryMB: 512, maximumInstanceCount: 200, alwaysReady },
    })
    expect(config({ maximumInstanceCount: 5 })).toMatchObject({ scaleAndConcurrency: { maximumInstanceCount: 40 } })
  })
})

describe('the older plans', () => {
  test.each([
    ['premium', { linuxFxVersion: 'Node|24', minimumElasticInstanceCount: 2, functionAppScaleLimit: null }],
    ['consumption', { linuxFxVersion: 'Node|22', minimumElasticInstanceCount: null, functionAppScaleLimit: 7 }],
  ])('the older plans run the newest Node.js that %s has, within limits', (plan, siteConfig) => {
    const parameters = { plan, maximumInstanceCount: 7, premiumInstances: 2 }
    expect(oneOf(site, parameters).properties).toMatchObject({ siteConfig })
  })
})

describe('Entra ID sign-in', () => {
  const entraClientId = '00000000-0000-0000-0000-000000000003'
  const signIn = (parameters: Record<string, unknown>) =>
    allOf('Microsoft.Web/sites/config', parameters).find(({ name }) => name.endsWith('/authsettingsV2'))?.properties

  test('Entra ID sign-in is off by default', () => {
    expect(signIn({})).toBeUndefined()
  })

  test('Entra ID sign-in requires a token of the tenant for the audience, except for liveness and the definition', () => {
    expect(signIn({ entraClientId })).toMatchObject({
      platform: { enabled: true },
      globalValidation: {
        requireAuthentication: true,
        unauthenticatedClientAction: 'Return401',
        excludedPaths: ['/api/health', '/api/openapi.json'],
      },
      httpSettings: { requireHttps: true },
      identityProviders: {
        azureActiveDirectory: {
          enabled: true,
          registration: {
            clientId: entraClientId,
            openIdIssuer: 'https://login.microsoftonline.com/00000000-0000-0000-0000-00000000000b/v2.0',
          },
          validation: { allowedAudiences: [entraClientId, `api://${entraClientId}`], defaultAuthorizationPolicy: null },
        },
      },
    })
  })

  test.each([
    ['AzureCloud', 'https://login.microsoftonline.com'],
    ['AzureUSGovernment', 'https://login.microsoftonline.us'],
  ] as const)('in %s trusts %s, whether or not that address ends with a slash', (cloud, authority) => {
    const [found] = allOf('Microsoft.Web/sites/config', { entraClientId }, cloud).filter(({ name }) =>
      name.endsWith('/authsettingsV2'),
    )
    expect(found?.properties).toMatchObject({
      identityProviders: {
        azureActiveDirectory: {
          registration: { openIdIssuer: `${authority}/00000000-0000-0000-0000-00000000000b/v2.0` },
        },
      },
    })
  })

  test('Entra ID sign-in accepts other audiences, and only the named clients', () => {
    const parameters = { entraClientId, entraAudiences: ['api://orders'], entraAllowedClients: ['client'] }
    expect(signIn(parameters)).toMatchObject({
      identityProviders: {
        azureActiveDirectory: {
          validation: {
            allowedAudiences: ['api://orders'],
            defaultAuthorizationPolicy: { allowedApplications: ['client'] },
          },
        },
      },
    })
  })

  test('Entra ID sign-in together with keys passes callers without a token to the key check', () => {
    expect(signIn({ entraClientId, entraRequired: false })).toMatchObject({
      globalValidation: { requireAuthentication: false, unauthenticatedClientAction: 'AllowAnonymous' },
    })
  })
})

describe('private networking', () => {
  const isPrivate = { privateNetworking: true }
  const endpoints = (parameters: Record<string, unknown>) =>
    allOf('Microsoft.Network/privateEndpoints', parameters).map(({ properties }) => {
      const [connection] = properties.privateLinkServiceConnections as {
        properties: { privateLinkServiceId: string; groupIds: string[] }
      }[]
      const target = connection?.properties.privateLinkServiceId.replace(/^.*\/(orders[a-z]*).*$/, '$1')
      return `${target} ${connection?.properties.groupIds.join()}`
    })

  test('private networking is off by default', () => {
    const { resources } = deployed()
    expect(resources.filter(({ type }) => type.startsWith('Microsoft.Network/'))).toEqual([])
    for (const { properties } of resources) expect(properties.publicNetworkAccess ?? 'Enabled').toBe('Enabled')
  })

  test('private networking gives storage and vault private endpoints and closes the public ones', () => {
    const behind = ['Microsoft.Storage/storageAccounts', 'Microsoft.KeyVault/vaults'].flatMap(type =>
      allOf(type, isPrivate),
    )
    expect(behind).toHaveLength(3)
    for (const { properties } of behind) {
      expect(properties).toMatchObject({ publicNetworkAccess: 'Disabled', networkAcls: { defaultAction: 'Deny' } })
    }
    expect(endpoints(isPrivate).toSorted()).toEqual([
      'orders vault',
      'ordershost blob',
      'ordershost queue',
      'ordershost table',
      'orderssnap blob',
    ])
    expect(oneOf(site, isPrivate).properties).toMatchObject({
      publicNetworkAccess: 'Enabled',
      virtualNetworkSubnetId: expect.stringMatching(/\/virtualNetworks\/orders-\w+\/subnets\/app$/),
    })
  })

  test('private networking closes the public address of the app only on request', () => {
    const closed = { ...isPrivate, publicApp: false }
    expect(oneOf(site, closed).properties.publicNetworkAccess).toBe('Disabled')
    expect(endpoints(closed)).toContain('orders sites')
    expect(oneOf(site, { publicApp: false }).properties.publicNetworkAccess).toBe('Enabled')
  })

  test('private networking needs no vault for a federated credential', () => {
    expect(endpoints({ ...isPrivate, credential: 'federated' })).not.toContain('orders vault')
    expect(allOf('Microsoft.KeyVault/vaults', { credential: 'federated' })).toEqual([])
  })

  test.each([
    ['AzureCloud', ['blob.core.windows.net', 'vaultcore.azure.net', 'azurewebsites.net']],
    ['AzureUSGovernment', ['blob.core.usgovcloudapi.net', 'vaultcore.usgovcloudapi.net', 'azurewebsites.us']],
    ['AzureChinaCloud', ['blob.core.chinacloudapi.cn', 'vaultcore.azure.cn', 'chinacloudsites.cn']],
  ] as const)('resolves names in the zones of %s', (cloud, suffixes) => {
    const zones = allOf('Microsoft.Network/privateDnsZones', isPrivate, cloud).map(({ name }) => name)
    expect(zones).toEqual(expect.arrayContaining(suffixes.map(suffix => `privatelink.${suffix}`)))
    const links = allOf('Microsoft.Network/privateDnsZones/virtualNetworkLinks', isPrivate, cloud)
    expect(links.map(({ name }) => name.split('/')[0])).toEqual(zones)
  })

  test.each([
    ['flex', 'Microsoft.App/environments'],
    ['premium', 'Microsoft.Web/serverFarms'],
  ])('private networking gives the app on %s a subnet that is delegated to %s', (plan, serviceName) => {
    const { properties } = oneOf('Microsoft.Network/virtualNetworks', { ...isPrivate, plan })
    expect(properties.subnets).toMatchObject([
      { name: 'app', properties: { delegations: [{ properties: { serviceName } }] } },
      { name: 'endpoints' },
    ])
  })
})

describe('the connector', () => {
  test('the connector is a custom API of this app, only on request', () => {
    expect(allOf('Microsoft.Web/customApis')).toEqual([])
    const { properties } = oneOf('Microsoft.Web/customApis', { logicAppsConnector: true })
    expect(properties).toMatchObject({
      backendService: { serviceUrl: expect.stringMatching(/^https:\/\/orders-\w{13}\.example\.net$/) },
      connectionParameters: { api_key: { type: 'securestring' } },
      swagger: {
        swagger: '2.0',
        host: expect.stringMatching(/^orders-\w{13}\.example\.net$/),
        paths: { '/api/customers/{customerTenantId}/orders': expect.anything() },
        securityDefinitions: { api_key: expect.anything() },
      },
    })
  })

  test('the connector has every action of the definition and no triggers, because Logic Apps has no policies', () => {
    const { properties } = oneOf('Microsoft.Web/customApis', { logicAppsConnector: true })
    const { paths, ...rest } = properties.swagger as Definition
    const { paths: all, ...others } = definition
    const actions = Object.entries(all).filter(([, methods]) => methods.get?.['x-ms-trigger'] === undefined)
    expect(paths).toEqual(Object.fromEntries(actions))
    expect(Object.keys(paths).length).toBe(Object.keys(all).length - triggers.length)
    expect(rest).toEqual({ ...others, host: rest.host })
  })
})

describe('alerts', () => {
  const rule = 'Microsoft.Insights/scheduledQueryRules'
  type Properties = { criteria: { allOf: { query: string }[] }; actions: { actionGroups: string[] }; severity: number }
  const properties = (parameters: Record<string, unknown> = {}) =>
    allOf(rule, parameters).map(alert => ({ name: alert.name, ...(alert.properties as Properties) }))

  test('alerts go to the given address, otherwise only to the portal', () => {
    const group = 'Microsoft.Insights/actionGroups'
    expect(oneOf(group, { alertEmail: 'ops@example.com' }).properties.emailReceivers).toEqual([
      { name: 'operators', emailAddress: 'ops@example.com', useCommonAlertSchema: true },
    ])
    expect(oneOf(group).properties.emailReceivers).toEqual([])
    for (const { actions } of properties()) {
      expect(actions.actionGroups).toEqual([expect.stringMatching(/actionGroups\/orders-\w+-operators$/)])
    }
  })

  test('alerts have queries with the hours filled in', () => {
    const queries = properties({ snapshotDueHours: 30 }).map(({ criteria }) => criteria.allOf[0]?.query ?? '')
    expect(queries).toHaveLength(10)
    for (const query of queries) expect(query).toMatch(/App(Traces|Requests)/)
    expect(queries.join()).not.toMatch(/\{(dueHours|createdAt)\}/)
    expect(queries.filter(query => query.includes('ago(30h)'))).toHaveLength(1)
  })

  test('alerts report no overdue snapshot before the deployment is as old as the deadline', () => {
    const overdue = properties().find(({ name }) => name.endsWith('snapshot-overdue'))?.criteria.allOf[0]?.query
    expect(overdue).toContain('todatetime("2026-01-31T10:00:00.1234567+00:00") < ago(26h)')
  })

  test('alerts leave out the daily deadline for a schedule that is not daily', () => {
    const names = (parameters: Record<string, unknown>) =>
      properties(parameters).map(({ name }) => name.split('-').slice(2).join('-'))
    expect(names({})).toContain('snapshot-overdue')
    expect(names({ snapshotDueHours: 0 })).not.toContain('snapshot-overdue')
  })

  test('alerts watch the activity log if it is followed', () => {
    const names = (parameters: Record<string, unknown> = {}) =>
      properties(parameters).map(({ name }) => name.split('-').slice(2).join('-'))
    expect(names()).toContain('following-stopped')
    expect(names({ followSchedule: 'off' })).not.toContain('following-stopped')
    expect(names({ partnerCloud: 'china' })).not.toContain('following-stopped')
  })
})
