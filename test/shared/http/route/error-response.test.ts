import { describe, expect, test } from 'vitest'
import { AppError, type AppErrorOptions, type ErrorCode, errorKinds } from '../../../../shared/errors.ts'
import { errorResponse, toKnownError } from '../../../../shared/http/route/error-response.ts'

const answerOf = (code: ErrorCode, options: AppErrorOptions = {}, message = 'Do this.') => {
  const { status, headers, body } = errorResponse(new AppError(code, message, options), '/api/x', 'id-1')
  return { status, headers: headers as Record<string, string>, text: String(body), body: JSON.parse(String(body)) }
}

const codes = Object.keys(errorKinds) as ErrorCode[]

describe('the response to a failure', () => {
  test.each(codes)('the response to the failure %s has the common shape', code => {
    const { status, headers, body, text } = answerOf(code)
    const { status: expected, title } = errorKinds[code]
    const retryable = expected === 429 || expected === 503
    expect(status).toBe(expected)
    expect(body).toEqual({
      type: `urn:partner-center-orders:error:${code}`,
      title,
      status: expected,
      detail: 'Do this.',
      instance: '/api/x',
      error: { code, message: 'Do this.' },
      correlationId: 'id-1',
      retryable,
    })
    expect(headers).toEqual({
      'content-type': 'application/json',
      'cache-control': 'private, no-store',
      ...(retryable ? { 'retry-after': '30' } : {}),
    })
    expect(text).not.toContain('null')
  })

  test('the response to a failure names the parameters at fault', () => {
    const details = [
      { target: 'a', message: 'A.' },
      { target: 'b', message: 'B.' },
    ]
    expect(answerOf('invalid_request', { target: 'a', details }).body.error).toEqual({
      code: 'invalid_request',
      message: 'Do this.',
      target: 'a',
      details,
    })
  })

  test('the response to a failure has the address of the blocking run', () => {
    const location = 'https://host/api/snapshots/1'
    expect(answerOf('snapshot_running', { location }).headers.location).toBe(location)
  })

  test.each([
    [57, '57'],
    [56.2, '57'],
    [0, '1'],
    [-5, '1'],
    [3600, '3600'],
  ])('the response to a failure with a wait of %d seconds has Retry-After %s', (retryAfterSeconds, expected) => {
    expect(answerOf('partner_center_throttled', { retryAfterSeconds }).headers['retry-after']).toBe(expected)
  })

  test('the response to a failure does not reveal upstream text, causes or secrets', () => {
    const { text } = answerOf(
      'partner_center_forbidden',
      { upstream: { status: 403, code: '1', text: 'upstream-text' }, cause: new Error('the-cause') },
      'Bearer abcdefghijkl was refused, client_secret=hunter2.',
    )
    expect(text).not.toMatch(/upstream-text|the-cause|abcdefghijkl|hunter2|stack/)
  })
})

describe('a failure', () => {
  test('an AppError stays unchanged', () => {
    const error = new AppError('snapshot_failed', 'x')
    expect(toKnownError(error)).toBe(error)
  })

  test.each([new TypeError('Cannot read secret of undefined'), 'text', undefined, null, { code: 'order_not_found' }])(
    'an unexpected failure is an internal error with %s as its cause',
    thrown => {
      const error = toKnownError(thrown)
      expect(error).toMatchObject({ code: 'internal_error', status: 500, retryable: false })
      expect(error.options.cause).toBe(thrown)
      expect(error.message).not.toContain('secret')
    },
  )
})
