import { describe, expect, test } from 'vitest'
import { principalId } from './bicep/answers.ts'
import { person } from './bicep/functions.ts'
import { allOf, deployed } from './bicep/stack.ts'

const roleNames: Record<string, string> = {
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': 'Storage Blob Data Owner',
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe': 'Storage Blob Data Contributor',
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88': 'Storage Queue Data Contributor',
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3': 'Storage Table Data Contributor',
  '4633458b-17de-408a-b874-0445c86b69e6': 'Key Vault Secrets User',
  'b86a8fe4-44ce-4948-aee5-eccb2c155cd7': 'Key Vault Secrets Officer',
  'a4417e6f-fecd-4de8-b567-7b0420556985': 'Key Vault Certificates Officer',
  '3913510d-42f4-4e42-8a64-420c390055eb': 'Monitoring Metrics Publisher',
}

/** The roles of a principal with their scopes, without the unique part of names. */
function rolesOf(principal: string, parameters: Record<string, unknown> = {}): string[] {
  return allOf('Microsoft.Authorization/roleAssignments', parameters)
    .filter(({ properties }) => properties.principalId === principal)
    .map(({ scope, properties }) => {
      const id = String(properties.roleDefinitionId).split('/').at(-1) ?? ''
      const target = scope
        .replace(/^.*?providers\/Microsoft\.\w+\//i, '')
        .replace(/(orders(?:host|snap|-))[0-9a-z]{13}/, '$1…')
      return `${roleNames[id]} on ${target}`
    })
    .toSorted()
}

const hostRoles = [
  'Monitoring Metrics Publisher on components/orders-…',
  'Storage Blob Data Contributor on storageAccounts/orderssnap…/blobServices/default/containers/order-snapshots',
  'Storage Blob Data Owner on storageAccounts/ordershost…',
  'Storage Queue Data Contributor on storageAccounts/ordershost…',
  'Storage Table Data Contributor on storageAccounts/ordershost…',
]

const clientSecret = 'partner-center-client-secret'
const certificate = 'partner-center-client-certificate'
const refreshToken = 'partner-center-refresh-token'
const all = [clientSecret, certificate, refreshToken]

describe('the app', () => {
  test.each([
    ['secret', all, [`Key Vault Secrets User on vaults/orders-…/secrets/${clientSecret}`]],
    ['certificate', all, [`Key Vault Secrets User on vaults/orders-…/secrets/${certificate}`]],
    [
      'refresh-token',
      all,
      [
        `Key Vault Secrets Officer on vaults/orders-…/secrets/${refreshToken}`,
        `Key Vault Secrets User on vaults/orders-…/secrets/${clientSecret}`,
      ],
    ],
    ['refresh-token', [clientSecret], [`Key Vault Secrets User on vaults/orders-…/secrets/${clientSecret}`]],
    ['secret', [], []],
    ['federated', all, []],
  ])(
    'the app with credential %s and %j stored has exactly these permissions',
    (credential, storedSecretNames, vaultRoles) => {
      expect(rolesOf(principalId, { credential, storedSecretNames })).toEqual([...vaultRoles, ...hostRoles].toSorted())
    },
  )

  test.each([
    ['secret', ['Key Vault Secrets User on vaults/orders-…']],
    ['certificate', ['Key Vault Secrets User on vaults/orders-…']],
    ['refresh-token', ['Key Vault Secrets Officer on vaults/orders-…', 'Key Vault Secrets User on vaults/orders-…']],
    ['federated', []],
  ])('the app with credential %s gets roles on the whole vault only on request', (credential, vaultRoles) => {
    const roles = rolesOf(principalId, { credential, vaultRoleScope: 'vault', storedSecretNames: all })
    expect(roles).toEqual([...vaultRoles, ...hostRoles].toSorted())
  })

  test('the app reads secrets with the configured names', () => {
    const parameters = { clientSecretName: 'mine', storedSecretNames: ['mine', clientSecret] }
    expect(rolesOf(principalId, parameters)).toContain('Key Vault Secrets User on vaults/orders-…/secrets/mine')
    expect(rolesOf(principalId, parameters).filter(role => role.includes('vaults/'))).toHaveLength(1)
  })
})

describe('the operator', () => {
  const operatorPrincipalId = '00000000-0000-0000-0000-00000000000f'

  const assignments = (parameters: Record<string, unknown>, deployer = person) =>
    deployed(parameters, 'AzureCloud', { deployer }).resources.filter(
      ({ type, properties }) => type.endsWith('/roleAssignments') && properties.principalId !== principalId,
    )

  test('the operator is the deploying user or pipeline', () => {
    const kinds = (deployer: typeof person) =>
      assignments({}, deployer).map(({ properties }) => [properties.principalId, properties.principalType])
    expect(kinds(person)).toEqual([[person.objectId, 'User']])
    const pipeline = { objectId: '00000000-0000-4000-8000-00000000c1cd', userPrincipalName: '' }
    expect(kinds(pipeline)).toEqual([[pipeline.objectId, 'ServicePrincipal']])
  })

  test('the operator can be nobody', () => {
    expect(assignments({ plan: 'premium', operatorPrincipalId: '' })).toEqual([])
  })

  test('the operator can store secrets, and upload packages if the plan runs from a blob', () => {
    const officer = 'Key Vault Secrets Officer on vaults/orders-…'
    const upload =
      'Storage Blob Data Contributor on storageAccounts/ordershost…/blobServices/default/containers/packages'
    expect(rolesOf(operatorPrincipalId, { operatorPrincipalId })).toEqual([officer])
    expect(rolesOf(operatorPrincipalId, { operatorPrincipalId, plan: 'premium' })).toEqual([officer, upload])
    expect(rolesOf(operatorPrincipalId, { operatorPrincipalId, credential: 'federated' })).toEqual([])
  })

  test('the operator can create certificates only if one is the credential', () => {
    expect(rolesOf(operatorPrincipalId, { operatorPrincipalId, credential: 'certificate' })).toEqual([
      'Key Vault Certificates Officer on vaults/orders-…',
      'Key Vault Secrets Officer on vaults/orders-…',
    ])
  })
})
