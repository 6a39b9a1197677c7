import { describe, expect, test } from 'vitest'
import { toCredentialError } from '../../../shared/credentials/entra-errors.ts'

describe('an error of the token endpoint', () => {
  test.each([
    [50076, 'mfa_required', 'npm run consent'],
    [50078, 'mfa_required', 'sign-in frequency'],
    [50079, 'mfa_required', 'register'],
    [50173, 'credential_rejected', 'revoked'],
    [65001, 'credential_rejected', 'user_impersonation'],
    [70000, 'credential_rejected', 'malformed or revoked'],
    [70008, 'credential_rejected', 'expired'],
    [90002, 'credential_rejected', 'PARTNER_CENTER_TENANT_ID'],
    [700007, 'credential_rejected', 'another app'],
    [700016, 'credential_rejected', 'PARTNER_CENTER_CLIENT_ID'],
    [700027, 'credential_rejected', 'certificate'],
    [70021, 'credential_rejected', 'api://AzureADTokenExchange'],
    [700082, 'credential_rejected', '90 days'],
    [7000215, 'credential_rejected', 'not its id'],
    [7000222, 'credential_rejected', 'expired'],
    [500011, 'wrong_audience', 'PARTNER_CENTER_CLOUD'],
  ])('AADSTS%i means %s, and the message says what to do', (code, as, text) => {
    for (const codes of [[code], [String(code)], [1, code]]) {
      const error = toCredentialError(codes, 'invalid_grant')
      expect(error).toMatchObject({ code: as, status: 424, retryable: false })
      expect(error.message).toContain(`(AADSTS${code}).`)
      expect(error.message).toContain(text)
      expect(error.message).toMatch(/^[A-Z].*\.$/)
    }
  })

  test('an unknown error of the token endpoint is reported with its first code, or its OAuth error', () => {
    const rejected = { code: 'credential_rejected', retryable: false }
    expect(toCredentialError([530032, 1], 'invalid_grant')).toMatchObject({
      ...rejected,
      message: expect.stringContaining('(AADSTS530032)'),
    })
    expect(toCredentialError(['530032'], 'invalid_grant').message).toContain('(AADSTS530032)')
    expect(toCredentialError([], 'invalid_client')).toMatchObject({
      ...rejected,
      message: expect.stringContaining('(invalid_client)'),
    })
  })

  test('an interaction_required error of the token endpoint means mfa_required', () => {
    expect(toCredentialError([], 'interaction_required').code).toBe('mfa_required')
    expect(toCredentialError([50076], 'invalid_grant').code).toBe('mfa_required')
  })

  test.each(['<script>alert(1)</script>', 'a b\r\nc'])(
    'an error message contains only letters of the OAuth error %j',
    text => {
      for (const { message } of [toCredentialError([], text), toCredentialError([text], 'invalid_grant')]) {
        expect(message).not.toMatch(/[<>\r\n]/)
      }
    },
  )

  test('an error message contains at most 60 characters of the OAuth error', () => {
    expect(toCredentialError([], 'x'.repeat(500)).message).toMatch(/\(x{60}\)/)
  })

  test.each(['constructor', 'toString', '__proto__'])(
    'an error of the token endpoint with the code %s is unknown',
    code => {
      expect(toCredentialError([code], 'invalid_grant')).toMatchObject({ code: 'credential_rejected', status: 424 })
    },
  )

  test('a temporary error of the token endpoint is no rejection', () => {
    expect(toCredentialError([], 'temporarily_unavailable')).toMatchObject({
      code: 'authority_unavailable',
      retryable: true,
    })
  })

  test('an error of the token endpoint keeps its cause', () => {
    const cause = new Error('why')
    expect(toCredentialError([50076], 'x', cause).cause).toBe(cause)
    expect(toCredentialError([], 'x', cause).cause).toBe(cause)
  })
})
