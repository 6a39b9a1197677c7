import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLog, describeError, type LogLevel, redact } from '../../../shared/runtime/log.ts'

const jwt = `eyJ${'hbGciOiJSUzI1NiJ9'}.eyJhdWQiOiJodHRwczovL2FwaSJ9.c2lnbmF0dXJl-_x`
const refreshToken = `1.A${'VYAq7gI_-3'.repeat(6)}.AgABAwEAAADnfolhJ-_`
const pem = `-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0B==\n-----END PRIVATE KEY-----`
const secret = 'Q~hunter2.Abc-def_GHI~jkl'

const secretTexts: [string, string, string][] = [
  ['a bearer token', `Authorization: Bearer ${'abc.def-ghi'}`, 'abc.def-ghi'],
  ['a bearer token in lower case', 'bearer abcdef', 'abcdef'],
  ['a bearer token in JSON', '{"authorization":"Bearer abcdef"}', 'abcdef'],
  ['a shared key', 'SharedKey account:c2lnbmF0dXJl=', 'c2lnbmF0dXJl'],
  ['a JWT', `token ${jwt} was refused`, 'c2lnbmF0dXJl'],
  ['a JWT in JSON', JSON.stringify({ token: jwt }), 'eyJhdWQ'],
  ['a JWT without a signature', 'eyJhbGciOiJub25lIn0.eyJhdWQi.', 'eyJhdWQi'],
  ['a refresh token', `redeemed ${refreshToken} once`, 'AgABAw'],
  ['a refresh token of the older kind', refreshToken.replace('1.', '0.'), 'VYAq7gI'],
  ['a private key', pem, 'MIIEvQ'],
  ['a private key in JSON', JSON.stringify({ value: pem }), 'kqhkiG9w0B'],
  ['a private key cut short', pem.slice(0, 40), 'MIIEvQ'],
  ['an RSA key', pem.replaceAll('PRIVATE', 'RSA PRIVATE'), 'MIIEvQ'],
  ['a function key in a URL', 'GET /api/x?code=hunter2&a=1', 'hunter2'],
  ['a function key in a URL in capitals', 'GET /api/x?CODE=hunter2', 'hunter2'],
  ['a shared access signature', 'https://a.blob/x?sv=1&sig=hunter2%3D', 'hunter2'],
  ['an account key', 'AccountName=a;AccountKey=hunter2==;EndpointSuffix=x', 'hunter2'],
  ['a function key in a header', 'x-functions-key: hunter2', 'hunter2'],
  ['a password', 'password = hunter2', 'hunter2'],
  ['a client secret in a form', `grant_type=x&client_secret=${secret}&scope=y`, 'hunter2'],
  ['a client secret in a form, escaped', `client_secret=${encodeURIComponent('hunter2+/=')}&scope=y`, 'hunter2'],
  ['a client secret in JSON', JSON.stringify({ client_secret: secret }), 'hunter2'],
  ['a client secret in JSON, spaced', JSON.stringify({ client_secret: secret }, null, 2), 'hunter2'],
  ['a client secret in JSON in JSON', JSON.stringify({ body: JSON.stringify({ client_secret: secret }) }), 'hunter2'],
  ['a client secret in single quotes', `{ 'client_secret': '${secret}' }`, 'hunter2'],
  ['a client secret in capitals', `CLIENT_SECRET=${secret}`, 'hunter2'],
  ['a client assertion', 'client_assertion=hunter2&x=1', 'hunter2'],
  ['a refresh token in a form', 'refresh_token=hunter2&x=1', 'hunter2'],
  ['an access token in JSON', '{"access_token":"hunter2","expires_in":3599}', 'hunter2'],
  ['an id token in JSON', '{"id_token":"hunter2"}', 'hunter2'],
  ['a second JWT', `eyJhbGciOiJub25lIn0.a.b and ${jwt}`, 'c2lnbmF0dXJl'],
  ['a second refresh token', `1.A${'x'.repeat(60)} and ${refreshToken}`, 'AgABAw'],
  ['a second private key', `${pem.replaceAll('MII', 'AAA')}\n${pem}`, 'MIIEvQ'],
  ['two at once', 'client_secret=a-hunter2 refresh_token=b-hunter2', 'hunter2'],
]

describe('redaction', () => {
  test('redaction skips no text that a pattern would change', () => {
    const names = [
      'client_secret',
      'refresh_token',
      'password',
      'bearer',
      'sig',
      'authorization',
      '?code',
      'eyJ',
      '1.A',
    ]
    const word = fc.stringMatching(/^[a-z0-9_-]{1,30}$/)
    const part = (sign: string) => fc.oneof(fc.constantFrom(...names), word, fc.constant(sign))
    const texts = fc
      .constantFrom('=', ':', '.', '&', ';', '%3d', ' ', '')
      .chain(sign => fc.array(part(sign), { maxLength: 6 }))
    fc.assert(
      fc.property(texts, parts => {
        const text = parts.join('')
        // A space at the end prevents the shortcut, and changes nothing else in these texts.
        expect(`${redact(text)} `).toBe(redact(`${text} `))
      }),
      { numRuns: 5000 },
    )
    expect(redact('a'.repeat(20_000))).toHaveLength(16_384)
  })

  test.each(secretTexts)('redaction removes %s', (_, text, secret) => {
    expect(text).toContain(secret)
    expect(redact(text)).not.toContain(secret)
    expect(redact(redact(text))).toBe(redact(text))
  })

  test.each([
    '{"code":"customer_not_found","message":"No such customer."}',
    '{"error":{"code":"invalid_request","target":"code"}}',
    'Partner Center returned 403 (code 20002).',
    'customer b0d70a69-4c42-4b27-b17b-91a835d8686a, order 9qg-ErcO-4MPbPqq_3MIQaS7bn8W6HfG1',
    'Check PARTNER_CENTER_CLIENT_SECRET_NAME, the client secret and the refresh token.',
    '/v1/customers?size=500&seekOperation=Next',
    'eyJ is how a token begins',
    'version 1.0.0 of 0.A',
    "The Key Vault secret 'partner-center-client-secret' is disabled.",
    '{"keyVaultUri":"https://vault.example/","monkey=1":"x"}',
  ])('redaction does not change %s', text => {
    expect(redact(text)).toBe(text)
  })

  test('redaction keeps the text around a secret', () => {
    expect(redact('a client_secret=hunter2&scope=y b')).toBe('a client_secret=[redacted]&scope=y b')
    expect(redact('{"client_secret":"hunter2","a":1}')).toBe('{"client_secret":"[redacted]","a":1}')
    expect(redact(`before ${jwt} after`)).toBe('before [token] after')
    expect(redact(`before ${pem} after`)).toBe('before [pem] after')
    expect(redact(`before ${refreshToken} after`)).toBe('before [refresh token] after')
    expect(redact('Bearer abc, x')).toBe('Bearer [redacted], x')
    expect(redact('?code=abc&a=1')).toBe('?code=[redacted]&a=1')
  })

  test('redaction removes all of a secret with punctuation in it', () => {
    const marked = "hunter2,and;more}of'it"
    expect(redact(JSON.stringify({ client_secret: marked, scope: 'y' }))).toBe(
      '{"client_secret":"[redacted]","scope":"y"}',
    )
  })
})

describe('an error in one line', () => {
  test('an error in one line has its message and causes, without secrets and without a stack', () => {
    const error = new TypeError('outer', { cause: new Error('inner client_secret=hunter2', { cause: 'innermost' }) })
    expect(describeError(error)).toBe('TypeError: outer <- Error: inner client_secret=[redacted] <- innermost')
    expect(describeError(null)).toBe('null')
    expect(describeError(undefined)).toBe('')
    expect(describeError({})).toBe('[object Object]')
  })

  test('an error in one line has a limited length for any causes', () => {
    const circular = new Error('round')
    circular.cause = circular
    expect(describeError(circular)).toBe(Array(4).fill('Error: round').join(' <- '))
    expect(describeError(new Error('x'.repeat(5000)))).toHaveLength(2000)
  })

  test('an error in one line has no secret even at its cut end', () => {
    const at = 2000 - 'Error: '.length - 10
    expect(describeError(new Error(`${'x'.repeat(at)} ${jwt}`))).not.toContain('eyJ')
  })
})

function sink() {
  const lines: { level: LogLevel; line: string }[] = []
  const take = (level: LogLevel) => (line: string) => void lines.push({ level, line })
  return { lines, debug: take('debug'), info: take('info'), warn: take('warn'), error: take('error') }
}

describe('a log', () => {
  test.each(['debug', 'info', 'warn', 'error'] as const)(
    'a log writes one JSON object as a line of level %s',
    level => {
      const { lines, ...rest } = sink()
      createLog(rest, { function: 'f' })(level, 'request', { status: 200, nothing: undefined })
      createLog(rest)(level, 'bare')
      expect(lines).toEqual([
        { level, line: `{"event":"request","level":"${level}","function":"f","status":200}` },
        { level, line: `{"event":"bare","level":"${level}"}` },
      ])
    },
  )

  const lineOf = (fields: Record<string, unknown>) => {
    const { lines, ...rest } = sink()
    createLog(rest)('info', 'e', fields)
    return lines[0]?.line ?? ''
  }

  test.each([
    'Bearer hunter2',
    'SharedKey account:hunter2',
    'client_secret=hunter2',
    'eyJhbGciOiJub25lIn0.eyJhdWQi.hunter2',
    `1.A${'x'.repeat(60)}hunter2`,
  ])('a log line has no secret at its start: %s', secret => {
    expect(lineOf({ text: `first line\n${secret}` })).not.toContain('hunter2')
    expect(lineOf({ text: `first line\r\n\t${secret}` })).not.toContain('hunter2')
  })

  test.each(['say "Bearer abc" twice', 'Bearer abc\\', pem.slice(0, 40), `${pem.slice(0, 40)}\nMII`])(
    'a log line is JSON even if a secret ends with punctuation or is cut off: %j',
    text => {
      expect(JSON.parse(lineOf({ text, after: 1 }))).toMatchObject({ event: 'e', after: 1 })
    },
  )

  test('a log line is JSON without secrets, whatever its fields contain', () => {
    const texts = fc
      .tuple(
        fc.constantFrom('', 'a ', '"', '\\', '{"a":"', "'", '\n'),
        fc.constantFrom(...secretTexts),
        fc.constantFrom('', ' b', '"', '"}', '\\', ' "c"', "'", '\n'),
      )
      .map(([before, [, text, secret], after]) => ({ text: before + text + after, secret }))
    fc.assert(
      fc.property(texts, ({ text, secret }) => {
        const line = lineOf({ text, nested: { text }, after: 1 })
        expect(line).not.toContain('\n')
        expect(line).not.toContain(secret)
        expect(JSON.parse(line)).toMatchObject({ event: 'e', after: 1 })
      }),
      { numRuns: 3000 },
    )
  })
})

test.each([
  ['https://a.blob.core.windows.net/c/b?sv=1;sig=abc%2Fdef', 'abc'],
  ['https://proxy.example/?to=https%3A%2F%2Fa%3Fsv%3D1%26sig%3Dabcdef', 'abcdef'],
  ['SharedAccessSignature=sv=1&sig=abcdef', 'abcdef'],
  ['Authorization: Basic dXNlcjpwYXNz', 'dXNlcjpwYXNz'],
  ['{"authorization":"Basic dXNlcjpwYXNz"}', 'dXNlcjpwYXNz'],
])('no secret remains of %s', (text, secret) => {
  expect(redact(text)).not.toContain(secret)
})

test('a product named Basic is no secret', () => {
  expect(redact('Microsoft 365 Business Basic subscription')).toBe('Microsoft 365 Business Basic subscription')
})

test('a text is searched and kept up to 16,384 characters', () => {
  expect(redact('eyJ-'.repeat(1_000_000)).length).toBeLessThanOrEqual(16_384)
  expect(redact(`${'x'.repeat(16_000)} AccountKey=${'a'.repeat(1000)}`)).not.toContain('aaa')
})
