import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createScanner,
  maxDepth,
  readText,
  scanValue,
  skipSpace,
  withoutCuts,
} from '../../../shared/partner-center/json-bytes.ts'
import { layouts, parses, repaired, writtenValues } from './json-texts.ts'

/** The whole body as one value without its cuts. Throws if it is not JSON. */
function repair(body: Buffer): string {
  const { scanner, start } = createScanner(body)
  const from = skipSpace(scanner, start)
  const end = scanValue(scanner, from)
  if (skipSpace(scanner, end) !== scanner.bytes.length) throw new SyntaxError('More than one value')
  return withoutCuts(scanner, start, scanner.bytes.length, 0).toString()
}

const accepts = (text: string): boolean => {
  try {
    repair(Buffer.from(text))
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(SyntaxError)
    return false
  }
}

describe('a JSON value', () => {
  test('a JSON value loses only its white space and null members', () => {
    fc.assert(
      fc.property(writtenValues, layouts, fc.boolean(), (value, layout, withMark) => {
        const body = Buffer.from((withMark ? '\uFEFF' : '') + layout(value))
        expect(repair(body)).toBe(repaired(value))
      }),
      { numRuns: 4000 },
    )
  })

  test.each([
    ['{"a":null}', '{}'],
    ['{"a":null,"b":1}', '{"b":1}'],
    ['{"a":1,"b":null}', '{"a":1}'],
    ['{"a":1,"b":null,"c":2}', '{"a":1,"c":2}'],
    ['{"a":null,"b":null,"c":null}', '{}'],
    ['{"a":null , "b":null , "c":1 , "d":null , "e":null , "f":2}', '{"c":1,"f":2}'],
    ['{ "a" : 1 , "b" : null , "c" : null }', '{"a":1}'],
    ['{ "a" : { "b" : null } , "c" : [ null , { "d" : null } ] }', '{"a":{},"c":[null,{}]}'],
    ['[ null , null ]', '[null,null]'],
    ['null', 'null'],
    ['{"null":"null"}', '{"null":"null"}'],
    ['" a\\tb "', '" a\\tb "'],
  ])('a JSON value: %s becomes %s', (text, expected) => {
    expect(repair(Buffer.from(text))).toBe(expected)
  })
})

describe('the scanner', () => {
  const tokens = ['{', '}', '[', ']', ',', ':', '"a"', '"', '\\', '1', '-', '.', 'e', '0', 'null', 'true', 'fals', ' ']

  test('the scanner accepts what JSON.parse accepts, for any run of tokens', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...tokens), { maxLength: 8 }), pieces => {
        const text = pieces.join('')
        expect(accepts(text)).toBe(parses(text))
      }),
      { numRuns: 10_000 },
    )
  })

  test('the scanner accepts what JSON.parse accepts, for any number, text or escape', () => {
    const letters = fc.string({ unit: fc.constantFrom(...'0123456789+-.eE'), maxLength: 6 })
    const marks = fc.string({ unit: fc.constantFrom(...'\\u09aAfFgG"/bntr', '\u0001', '\u001f', ' '), maxLength: 7 })
    const digits = fc.string({ unit: fc.constantFrom(...'/09:@AFG`afg'), minLength: 4, maxLength: 4 })
    const escapes = fc.oneof(
      marks,
      digits.map(four => `\\u${four}`),
    )
    fc.assert(
      fc.property(
        fc.oneof(
          letters,
          escapes.map(inner => `"${inner}"`),
        ),
        text => {
          expect(accepts(text)).toBe(parses(text))
        },
      ),
      { numRuns: 10_000 },
    )
  })

  test.each(['0', '-0', '1.50', '1e5', '1E+05', '-1.0e-2', '12345678901234567890', '""', '"\\u0041"', '[]', ' {} '])(
    'the scanner accepts %s',
    text => {
      expect(accepts(text)).toBe(true)
    },
  )

  test.each([
    ...[
      '',
      ' ',
      '01',
      '-',
      '1.',
      '.5',
      '+1',
      '1e',
      '1e+',
      '0x1',
      '--1',
      'NaN',
      'Infinity',
      'nul',
      'nulL',
      'tru',
      'undefined',
    ],
    ...['"', '"\\', '"\\u12', '"\\u123g"', '"\\x41"', '"\u0000"', '"a\nb"', "'a'", '[', '[1', '[1,]', '[,1]', '[1 2]'],
    ...[
      '{',
      '{"a"',
      '{"a":',
      '{"a":1',
      '{"a":1,}',
      '{,}',
      '{a:1}',
      '{"a" 1}',
      '{"a":1 "b":2}',
      '{1:1}',
      '1 2',
      '{}{}',
      '\u00a01',
    ],
  ])('the scanner rejects %j', text => {
    expect(accepts(text)).toBe(false)
  })

  test('the scanner rejects arrays and objects beyond the depth limit', () => {
    expect(maxDepth).toBe(256)
    const arrays = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    const objects = (depth: number) => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`
    for (const nest of [arrays, objects]) {
      expect(accepts(nest(maxDepth))).toBe(true)
      expect(accepts(nest(maxDepth + 1))).toBe(false)
      expect(accepts(nest(100_000))).toBe(false)
    }
  })
})

describe('a body', () => {
  test('a body can start with one byte-order mark, not with two', () => {
    expect(accepts('\uFEFF{}')).toBe(true)
    expect(accepts('\uFEFF \uFEFF{}')).toBe(false)
    expect(accepts('\uFEFF\uFEFF{}')).toBe(false)
    expect(createScanner(Buffer.from('\uFEFF{}')).start).toBe(3)
    expect(createScanner(Buffer.from([0xef, 0xbb, 0x7b])).start).toBe(0)
  })

  test('a body that is not UTF-8 has replacement characters where JSON.parse would have them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), bytes => {
        const body = Buffer.concat([
          Buffer.from('"'),
          Buffer.from(bytes.filter(byte => byte >= 0x80)),
          Buffer.from('"'),
        ])
        expect(repair(body)).toBe(body.toString('utf8'))
      }),
      { numRuns: 2000 },
    )
  })

  test('a body that is valid is read without a copy', () => {
    const body = Buffer.from('{"a":1}')
    const { scanner } = createScanner(body)
    expect(scanner.bytes).toBe(body)
    const whole = withoutCuts(scanner, 0, body.length, 0)
    expect([whole.buffer, whole.byteOffset]).toEqual([body.buffer, body.byteOffset])
  })
})

test('a text is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 12 }), fc.boolean(), (value, escaped) => {
      const written = escaped
        ? `"${Array.from({ length: value.length }, (_, at) => `\\u${value.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
        : JSON.stringify(value)
      const bytes = Buffer.from(`[${written}]`)
      expect(readText(bytes, 1, bytes.length - 1)).toBe(value)
    }),
    { numRuns: 4000 },
  )
})

test('an array has the number of objects directly in it', () => {
  const count = (text: string) => {
    const { scanner } = createScanner(Buffer.from(text))
    scanValue(scanner, 0)
    return scanner.elements
  }
  expect(count('[{},1,[{},{}],null,{"a":[]}, {}]')).toBe(3)
  expect(count('[[{}]]')).toBe(0)
  expect(count('[ ]')).toBe(0)
})
