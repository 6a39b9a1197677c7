import { describe, expect, test } from 'vitest'
import { isAzureVault, toVaultError } from '../../../shared/credentials/secrets.ts'
import { AppError } from '../../../shared/errors.ts'

describe('a failed call to the vault', () => {
  const withStatus = (statusCode: number) => Object.assign(new Error(`status ${statusCode}`), { statusCode })
  const named = (name: string) => Object.assign(new Error('failed'), { name })

  test.each<[Error, string]>([
    ...[400, 401, 403, 404, 409, 410].map((status): [Error, string] => [withStatus(status), 'key_vault_refused']),
    ...[408, 429, 500, 503].map((status): [Error, string] => [withStatus(status), 'key_vault_unavailable']),
    [new Error('socket hang up'), 'key_vault_unavailable'],
    [named('CredentialUnavailableError'), 'key_vault_refused'],
    [named('AuthenticationError'), 'key_vault_refused'],
    [named('AggregateAuthenticationError'), 'key_vault_refused'],
    [named('AuthenticationRequiredError'), 'key_vault_refused'],
  ])('a failed call to the vault: %s means %s', (error, code) => {
    const known = toVaultError(error, 'my-secret')
    expect(known).toMatchObject({ code, cause: error })
    if (code === 'key_vault_refused') expect(known.message).toContain("'my-secret'")
  })

  test('an AppError from a call to the vault stays unchanged', () => {
    const ours = new AppError('key_vault_refused', 'empty')
    expect(toVaultError(ours, 'a')).toBe(ours)
  })
})

test.each([
  ['https://a.vault.azure.net', true],
  ['https://a.vault.azure.cn', true],
  ['https://a.vault.usgovcloudapi.net', true],
  ['https://a.vault.microsoftazure.de', true],
  ['https://a.managedhsm.azure.net/', true],
  ['https://vault.azure.net', false],
  ['https://a.vault.azure.net.evil.example', false],
  ['https://avault.azure.net', false],
  ['https://127.0.0.1:8443', false],
])('a vault at %s is one of Azure’s: %s', (uri, expected) => {
  expect(isAzureVault(uri)).toBe(expected)
})
