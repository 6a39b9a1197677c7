import { describe, expect, test } from 'vitest'
import { readUpstreamError, toAppError } from '../../../shared/partner-center/upstream-errors.ts'

const now = Date.UTC(2026, 10, 20)

type Body = string | Record<string, unknown> | undefined

const response = (status: number, body: Body, headers: Record<string, string> = {}) => ({
  status,
  headers,
  body: Buffer.from(typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body)),
})

const documented = (code: string | number) => ({ code, description: 'What went wrong.', data: [], source: 'PartnerFD' })

const codeOf = (status: number, body: Body, resource: 'order' | 'collection' = 'collection') =>
  toAppError(response(status, body), resource, now).code

/** The meaning of each status and code of the error pages for callers that read a list. */
const meanings: [number, readonly string[], string][] = [
  [401, ['900421', '10001'], 'mfa_required'],
  [401, ['900420'], 'wrong_audience'],
  [401, ['400', '800001', '20002', ''], 'credential_rejected'],
  [403, ['20002'], 'no_customer_relationship'],
  [403, ['900421', '10001'], 'mfa_required'],
  [
    403,
    [
      '90000',
      '900309',
      '2032',
      '900150',
      '900308',
      '900329',
      '800039',
      '900149',
      '900124',
      '2006',
      '800043',
      '60003',
      '',
    ],
    'partner_center_forbidden',
  ],
  [404, ['60003', '1000'], 'customer_not_found'],
  [404, ['20000', '20002', '800008', ''], 'partner_center_invalid_response'],
  [
    400,
    ['900118', '800002', '3000', '900126', '2000', '900127', '20002', '60003', ''],
    'partner_center_invalid_response',
  ],
  [409, ['800060', '800064', ''], 'partner_center_invalid_response'],
  [417, ['800036'], 'partner_center_invalid_response'],
  [402, [''], 'partner_center_invalid_response'],
  [301, [''], 'partner_center_invalid_response'],
  [408, [''], 'partner_center_unavailable'],
  [500, ['800003', '800005', ''], 'partner_center_unavailable'],
  [501, ['0', ''], 'partner_center_unavailable'],
  [502, [''], 'partner_center_unavailable'],
  [503, ['20002', ''], 'partner_center_unavailable'],
  [504, [''], 'partner_center_unavailable'],
  [429, ['20002', ''], 'partner_center_throttled'],
]

const cases = meanings.flatMap(([status, codes, meaning]) => codes.map(code => ({ status, code, meaning })))

describe('an upstream error', () => {
  test.each(cases)('an upstream $status with code "$code" means $meaning', ({ status, code, meaning }) => {
    expect(codeOf(status, code === '' ? undefined : documented(code))).toBe(meaning)
  })

  test.each([
    ['20000', 'order_not_found'],
    ['', 'order_not_found'],
    ['60003', 'customer_not_found'],
    ['1000', 'customer_not_found'],
  ])('an upstream 404 with code "%s" about one order means %s', (code, meaning) => {
    expect(codeOf(404, code === '' ? undefined : documented(code), 'order')).toBe(meaning)
  })

  test('an upstream error other than 404 means the same for one order and for a list', () => {
    for (const { status, code, meaning } of cases.filter(({ status }) => status !== 404)) {
      expect(codeOf(status, documented(code), 'order'), `${status} ${code}`).toBe(meaning)
    }
  })

  test.each<[string, Body]>([
    ['text', documented('20002')],
    ['number', documented(20002)],
    ['text, with nothing else', { code: '20002' }],
    ['number, with a message', { code: 20002, message: 'No.' }],
    ['text, after a byte-order mark', `\uFEFF${JSON.stringify(documented('20002'))}`],
    ['text, beside members that are null', { code: '20002', description: null, message: null, data: null }],
    ['text, beside members of another type', { code: '20002', description: { en: 'No.' }, message: 5 }],
  ])('an upstream error code is read as %s', (_, body) => {
    expect(codeOf(403, body)).toBe('no_customer_relationship')
  })

  test.each<[string, Body]>([
    ['nothing', undefined],
    ['plain text', 'Forbidden'],
    ['HTML', '<html><body>code 20002</body></html>'],
    ['a JSON text', '"20002"'],
    ['a JSON array', '[{"code":"20002"}]'],
    ['null', 'null'],
    ['half of a JSON object', '{"code":"20002"'],
    ['a token endpoint’s error', { error: 'invalid_grant', error_description: 'AADSTS20002' }],
    ['a throttling answer', { statusCode: 20002, message: 'Slow down.' }],
    ['an inner code', { error: { code: '20002' } }],
  ])('an upstream error that is %s has no code', (_, body) => {
    expect(readUpstreamError(response(403, body)).code).toBeUndefined()
    expect(codeOf(403, body)).toBe('partner_center_forbidden')
  })

  test('an upstream error in plain text about MFA is recognized', () => {
    const text = 'Authentication failed. MFA required. (10001)'
    expect(codeOf(401, text)).toBe('mfa_required')
    expect(codeOf(401, JSON.stringify(text))).toBe('mfa_required')
    expect(codeOf(401, text.toLowerCase())).toBe('mfa_required')
    expect(codeOf(401, 'Authentication failed. (10001)')).toBe('credential_rejected')
  })

  test('an upstream error keeps its code, text and request id for the log', () => {
    const of = (body: Body) => readUpstreamError(response(400, body, { 'ms-requestid': 'abc' }))
    expect(of(documented(3000))).toEqual({ status: 400, code: '3000', text: 'What went wrong.', requestId: 'abc' })
    expect(of({ statusCode: 429, message: 'Slow down.' }).text).toBe('Slow down.')
    expect(of({ error: 'x', error_description: 'AADSTS1' }).text).toBe('AADSTS1')
    expect(of({}).text).toBe('')
    expect(of('<html>').text).toBe('<html>')
    expect(of({ code: '1', description: 'x'.repeat(5000) }).text).toHaveLength(1024)
    expect(of('x'.repeat(50_000)).text).toHaveLength(500)
    expect(readUpstreamError(response(400, {})).requestId).toBeUndefined()
    expect(toAppError(response(400, documented(3000)), 'collection', now).options.upstream).toMatchObject({
      status: 400,
      code: '3000',
    })
  })
})

describe('the message for callers', () => {
  test('callers see the upstream status and code, never the text', () => {
    const { message } = toAppError(response(403, { code: '900308', description: '<b>secret</b>' }), 'collection', now)
    expect(message).toContain('403')
    expect(message).toContain('900308')
    expect(message).not.toContain('secret')
  })

  test.each(['<html>busy</html>', 'Bearer abcdefghijkl', 'x'.repeat(65)])(
    'callers see no malformed upstream code: %s',
    code => {
      for (const status of [400, 403, 500]) {
        const { message } = toAppError(response(status, { code }), 'collection', now)
        expect(message).not.toContain(code)
      }
    },
  )

  test('callers get an instruction for every refusal, in one line', () => {
    for (const { status, code } of cases) {
      const { message } = toAppError(response(status, documented(code)), 'collection', now)
      expect(message.length, message).toBeGreaterThan(50)
      expect(message).not.toMatch(/\n|undefined|null|NaN/)
    }
  })
})

describe('the wait for callers', () => {
  test.each([
    [429, '57', 57],
    [429, '0', 1],
    [429, '3600', 3600],
    [429, 'Fri, 20 Nov 2026 00:01:30 GMT', 90],
    [429, undefined, 60],
    [429, 'soon', 60],
    [503, '120', 120],
    [503, undefined, 30],
    [500, undefined, 30],
    [408, '5', 5],
  ])('the wait for a %i with Retry-After %s is %i seconds', (status, retryAfter, seconds) => {
    const headers: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': retryAfter }
    const error = toAppError(response(status, undefined, headers), 'collection', now)
    expect(error.options.retryAfterSeconds).toBe(seconds)
    expect(error.message).toContain(`${seconds} seconds`)
  })

  test('the wait for callers is rounded up to whole seconds', () => {
    const headers = { 'retry-after': 'Fri, 20 Nov 2026 00:00:10 GMT' }
    const error = toAppError(response(429, undefined, headers), 'collection', now + 500)
    expect(error.options.retryAfterSeconds).toBe(10)
  })

  test('the wait for callers is absent if waiting does not help', () => {
    for (const status of [400, 401, 403, 404, 409]) {
      const error = toAppError(response(status, undefined, { 'retry-after': '5' }), 'collection', now)
      expect(error.options.retryAfterSeconds).toBeUndefined()
      expect(error.retryable).toBe(false)
    }
  })
})
