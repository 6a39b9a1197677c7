import { describe, expect, test } from 'vitest'
import { allOf, oneOf, templates } from './bicep/stack.ts'

const plans = ['flex', 'premium', 'consumption']

describe('both storage accounts', () => {
  test('both storage accounts refuse keys, old TLS, plain http and anonymous access', () => {
    const accounts = allOf('Microsoft.Storage/storageAccounts')
    expect(accounts).toHaveLength(2)
    for (const { properties } of accounts) {
      expect(properties).toMatchObject({
        allowSharedKeyAccess: false,
        allowBlobPublicAccess: false,
        allowCrossTenantReplication: false,
        minimumTlsVersion: 'TLS1_2',
        supportsHttpsTrafficOnly: true,
      })
    }
  })

  test('both storage accounts have private containers only', () => {
    const containers = allOf('Microsoft.Storage/storageAccounts/blobServices/containers')
    expect(containers.map(({ name }) => name.split('/').at(-1)).toSorted()).toEqual(['order-snapshots', 'packages'])
    for (const { properties } of containers) expect(properties).toEqual({ publicAccess: 'None' })
  })

  test('both storage accounts are separate: one for host and queues, one for the history', () => {
    const queues = allOf('Microsoft.Storage/storageAccounts/queueServices/queues').map(({ name }) => name)
    expect(queues.map(name => name.split('/').at(-1))).toEqual(['snapshot-parts', 'snapshot-parts-poison'])
    expect(queues.every(name => name.startsWith('ordershost'))).toBe(true)
  })
})

describe('the history', () => {
  test('the history can be restored for 30 days after an overwrite or a deletion', () => {
    const [service] = allOf('Microsoft.Storage/storageAccounts/blobServices').filter(({ name }) =>
      name.startsWith('orderssnap'),
    )
    expect(service?.properties).toEqual({
      isVersioningEnabled: true,
      deleteRetentionPolicy: { enabled: true, days: 30 },
      containerDeleteRetentionPolicy: { enabled: true, days: 30 },
    })
  })

  test.each([
    [{}, 730, 'order-snapshots'],
    [{ retentionDays: 3650, snapshotContainer: 'history' }, 3650, 'history'],
  ])('the history moves to the cool tier after 30 days and is deleted on time (%j)', (parameters, days, container) => {
    const { name, properties } = oneOf('Microsoft.Storage/storageAccounts/managementPolicies', parameters)
    expect(name).toMatch(/^orderssnap.*\/default$/)
    const [rule] = (properties.policy as { rules: { definition: unknown }[] }).rules
    expect(rule?.definition).toEqual({
      filters: {
        blobTypes: ['blockBlob'],
        prefixMatch: ['snapshots', 'changes', 'lines', 'following'].map(folder => `${container}/${folder}/`),
      },
      actions: {
        baseBlob: {
          tierToCool: { daysAfterModificationGreaterThan: 30 },
          delete: { daysAfterModificationGreaterThan: days },
        },
        version: { delete: { daysAfterCreationGreaterThan: 30 } },
      },
    })
  })
})

describe('the state blobs', () => {
  test('the state blobs are never deleted, only their earlier versions', () => {
    const { properties } = oneOf('Microsoft.Storage/storageAccounts/managementPolicies')
    const { rules } = properties.policy as {
      rules: { definition: { filters: { prefixMatch: string[] }; actions: Record<string, unknown> } }[]
    }
    const over = (name: string) =>
      rules.filter(({ definition }) =>
        definition.filters.prefixMatch.some(prefix => `order-snapshots/${name}`.startsWith(prefix)),
      )
    for (const name of ['latest.json', 'current.json', 'pace.json', 'following.json']) {
      expect(over(name).map(({ definition }) => Object.keys(definition.actions))).toEqual([['version']])
    }
  })
})

describe('the vault', () => {
  test('the vault uses roles and cannot be purged', () => {
    expect(oneOf('Microsoft.KeyVault/vaults').properties).toMatchObject({
      enableRbacAuthorization: true,
      enableSoftDelete: true,
      enablePurgeProtection: true,
      createMode: 'default',
    })
    expect(oneOf('Microsoft.KeyVault/vaults', { recoverVault: true }).properties.createMode).toBe('recover')
  })

  test('the vault contains nothing from the template', () => {
    const secrets = templates.flatMap(({ symbols }) =>
      [...symbols.values()].flatMap(symbol => (symbol.kind === 'resource' ? [symbol, ...symbol.nested.values()] : [])),
    )
    const written = secrets.filter(({ type, existing }) => type.endsWith('/secrets') && !existing)
    expect(written).toEqual([])
  })
})

describe('the app', () => {
  test.each(plans)('the app on %s accepts only TLS 1.2, without FTP or passwords', plan => {
    const { properties } = oneOf('Microsoft.Web/sites', { plan })
    expect(properties).toMatchObject({
      httpsOnly: true,
      siteConfig: { ftpsState: 'Disabled', minTlsVersion: '1.2', scmMinTlsVersion: '1.2' },
    })
    const policies = allOf('Microsoft.Web/sites/basicPublishingCredentialsPolicies', { plan })
    expect(policies.map(({ name, properties }) => [name.split('/').at(-1), properties])).toEqual([
      ['ftp', { allow: false }],
      ['scm', { allow: false }],
    ])
  })

  test.each(plans)('the app on %s allows no web origin by default', plan => {
    const cors = (parameters: Record<string, unknown>) =>
      (oneOf('Microsoft.Web/sites', { plan, ...parameters }).properties.siteConfig as { cors: unknown }).cors
    expect(cors({})).toEqual({ allowedOrigins: [] })
    expect(cors({ corsOrigins: ['*'] })).toEqual({ allowedOrigins: ['*'] })
  })

  test('the app sends telemetry with its identity, and the key of Application Insights is disabled', () => {
    expect(oneOf('Microsoft.Insights/components').properties.DisableLocalAuth).toBe(true)
    expect(oneOf('Microsoft.OperationalInsights/workspaces').properties.features).toMatchObject({
      disableLocalAuth: true,
    })
  })
})

describe('diagnostic settings', () => {
  const settings = allOf('Microsoft.Insights/diagnosticSettings')

  test('diagnostic settings record access to the history and the vault', () => {
    const logged = settings.map(({ scope, properties }) => [
      /(orderssnap|vaults)/.exec(scope)?.[0],
      ((properties.logs ?? []) as { category: string }[]).map(({ category }) => category),
    ])
    expect(Object.fromEntries(logged)).toEqual({
      orderssnap: ['StorageRead', 'StorageWrite', 'StorageDelete'],
      vaults: ['AuditEvent'],
    })
    for (const { properties } of settings) expect(properties.workspaceId).toMatch(/\/workspaces\/orders-/)
  })

  test('diagnostic settings send no metrics, because Azure Monitor keeps them free of charge', () => {
    for (const { properties } of settings) expect(properties.metrics).toBeUndefined()
  })
})

describe('secrets', () => {
  test('no parameter and no output has a secret, and nothing lists keys', () => {
    const symbols = templates.flatMap(template => [...template.symbols])
    for (const [name, symbol] of symbols) {
      if (symbol.kind === 'parameter') expect(symbol.rules.has('secure'), name).toBe(false)
      if (symbol.kind !== 'output') continue
      expect(`${name} ${symbol.type}`).not.toMatch(/secure|password|secret|connectionstring/i)
      expect(symbol.value.text).not.toMatch(/list\w*\(|ConnectionString|InstrumentationKey|getSecret/i)
    }
    expect(symbols.filter(([, { kind }]) => kind === 'output').length).toBeGreaterThan(10)
    for (const { root } of templates) expect(root.text).not.toMatch(/\blist\w+\(|AccountKey=|getSecret/i)
  })
})
