import { describe, expect, test } from 'vitest'
import type { Resource } from './bicep/deployment.ts'
import type { Cloud } from './bicep/functions.ts'
import { nameFaultsOf } from './bicep/names.ts'
import { deployed } from './bicep/stack.ts'

const clouds: Cloud[] = ['AzureCloud', 'AzureUSGovernment', 'AzureChinaCloud']

/** Every parameter that decides which resources exist or their names, with all its values. */
const choices: Record<string, unknown[]> = {
  name: ['or', 'tenletters'],
  plan: ['auto', 'flex', 'premium', 'consumption'],
  credential: ['secret', 'certificate', 'federated', 'refresh-token'],
  vaultRoleScope: ['secret', 'vault'],
  operatorPrincipalId: ['', '00000000-0000-0000-0000-00000000000f'],
  privateNetworking: [false, true],
  publicApp: [false, true],
  entraClientId: ['', '00000000-0000-0000-0000-000000000003'],
  logicAppsConnector: [false, true],
}

/** The common parameters: every secret is stored, so that every role on a secret is assigned. */
const given = {
  storedSecretNames: [
    'partner-center-client-secret',
    'partner-center-client-certificate',
    'partner-center-refresh-token',
  ],
}

const combinations = Object.entries(choices).reduce<Record<string, unknown>[]>(
  (all, [name, values]) => all.flatMap(some => values.map(value => ({ ...some, [name]: value }))),
  [given],
)

const resource = (type: string, name: string, scope = ''): Resource => ({
  type,
  name,
  scope,
  apiVersion: '',
  tags: {},
  properties: {},
})

describe.each(clouds)('in %s', cloud => {
  test('every combination of parameters gives resources and deployments with unique and valid names', () => {
    const faults = new Map<string, unknown>()
    for (const parameters of combinations) {
      for (const fault of nameFaultsOf(deployed(parameters, cloud).resources)) faults.set(fault, parameters)
    }
    expect([...faults]).toEqual([])
    expect(combinations).toHaveLength(2048)
  })
})

describe('a name', () => {
  const account = 'Microsoft.Storage/storageAccounts'

  test.each([
    ['twice', [resource(account, 'orders'), resource(account, 'ORDERS')], `${account} ORDERS is there twice`],
    ['too long', [resource(account, 'a'.repeat(25))], `${account} may not be named ${'a'.repeat(25)}`],
    ['with a wrong character', [resource(account, 'my-orders')], `${account} may not be named my-orders`],
    ['of an unknown type', [resource('Some/things', 'x')], 'the names of Some/things have no rule in this test'],
  ])('the check of names finds %s', (_, resources, fault) => {
    expect(nameFaultsOf(resources)).toContain(fault)
  })

  test('a name can occur once in each scope and for each type', () => {
    const role = 'Microsoft.Authorization/roleAssignments'
    const id = '00000000-0000-4000-8000-000000000001'
    expect(nameFaultsOf([resource(role, id, 'a'), resource(role, id, 'b')])).toEqual([])
    expect(nameFaultsOf([resource(account, 'orders'), resource('Microsoft.Web/sites', 'orders')])).toEqual([])
  })
})
