import { describe, expect, test } from 'vitest'
import { AppError, type ErrorCode, errorKinds, isAppError, isCredentialFailure } from '../../shared/errors.ts'

/** The documented table of errors. */
const documented: Record<number, ErrorCode[]> = {
  400: ['invalid_request'],
  403: ['no_customer_relationship', 'partner_center_forbidden'],
  404: ['customer_not_found', 'order_not_found', 'snapshot_not_found', 'route_not_found'],
  409: ['snapshot_running'],
  410: ['cursor_expired'],
  424: ['credential_rejected', 'mfa_required', 'wrong_audience', 'key_vault_refused', 'snapshot_failed'],
  429: ['partner_center_throttled'],
  500: ['snapshot_corrupt', 'app_misconfigured', 'internal_error'],
  502: ['partner_center_invalid_response'],
  503: ['partner_center_unavailable', 'deadline_exceeded', 'key_vault_unavailable', 'authority_unavailable'],
}

const rows = Object.entries(documented).flatMap(([status, codes]) =>
  codes.map((code): [ErrorCode, number] => [code, Number(status)]),
)

describe('a failure', () => {
  test.each(rows)('error code %s has the documented status %i', (code, status) => {
    const error = new AppError(code, 'Do this.')
    expect(error.status).toBe(status)
    expect(error.retryable).toBe(status === 429 || status === 503)
  })

  test('a failure has a title for people and a code for machines', () => {
    for (const [code, { title }] of Object.entries(errorKinds)) {
      expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/)
      expect(title).toMatch(/^[A-Z][^.]{9,}$/)
    }
    expect(new Set(Object.values(errorKinds).map(({ title }) => title)).size).toBe(Object.keys(errorKinds).length)
  })

  test('a failure is an Error with its message and cause', () => {
    const cause = new Error('why')
    const error = new AppError('internal_error', 'Do this.', { cause, target: 'a' })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ name: 'AppError', message: 'Do this.', cause, options: { target: 'a' } })
    expect(new AppError('internal_error', 'x')).not.toHaveProperty('cause')
    expect(isAppError(error)).toBe(true)
    expect([cause, { code: 'internal_error' }, 'x', null, undefined].some(isAppError)).toBe(false)
  })
})

test('only failures of the credential affect every call made with it', () => {
  const stopping = ['credential_rejected', 'mfa_required', 'wrong_audience', 'key_vault_refused']
  const codes = Object.keys(errorKinds) as ErrorCode[]
  expect(codes.filter(code => isCredentialFailure(new AppError(code, 'x'))).toSorted()).toEqual(stopping.toSorted())
  expect(isCredentialFailure(new Error('credential_rejected'))).toBe(false)
})
