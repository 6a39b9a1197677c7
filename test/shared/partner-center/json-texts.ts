import fc from 'fast-check'

/** JSON as it was written: scalars and keys keep their text, so that responses can be compared by character. */
export type Written =
  | { kind: 'scalar'; text: string }
  | { kind: 'array'; elements: Written[] }
  | { kind: 'object'; members: Member[] }

export type Member = { key: string; value: Written }

const scalar = (text: string): Written => ({ kind: 'scalar', text })
const array = (elements: Written[]): Written => ({ kind: 'array', elements })
const object = (members: Member[]): Written => ({ kind: 'object', members })

export const isNull = (value: Written): boolean => value.kind === 'scalar' && value.text === 'null'
export const nameOf = ({ key }: Member): string => JSON.parse(key) as string

const oddNumbers = ['1.50', '1e5', '-0', '0', '-0.0', '1E+2', '2e-07', '98765432109876543210.0123456789', '0.10']

const numberText = fc.oneof(
  fc.constantFrom(...oddNumbers),
  fc.maxSafeInteger().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(number => JSON.stringify(number)),
)

const piece = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 4 }).map(text => JSON.stringify(text).slice(1, -1)),
  fc.constantFrom('\\u0000', '\\uD83D\\ude00', '\\ud800', '\\/', '\\"', '\\\\', '\\n\\r\\t\\b\\f', 'é', '漢', '😀'),
  fc.constantFrom('{', '}', '[', ']', ',', ':', ' ', 'null', '\u007f', '\u2028', '\u00a0', '\uFEFF'),
)

const text = fc.array(piece, { maxLength: 5 }).map(pieces => `"${pieces.join('')}"`)

const scalars = fc
  .oneof(
    { weight: 2, arbitrary: fc.constant('null') },
    { weight: 1, arbitrary: fc.constantFrom('true', 'false') },
    { weight: 2, arbitrary: numberText },
    { weight: 2, arbitrary: text },
  )
  .map(scalar)

/**
 * No key of these tests is a single backslash: after V8 13.6 parsed {"a":1,"\\":1}, it parses {"a":1,"\n":1} with the key
 * "\\", so that JSON.parse itself would be wrong.
 */
export const backslash = '\\'

/** The name, unchanged or with escaped letters. */
const spelled = (name: string) => fc.constantFrom(`"${name}"`, `"${escapeFirst(name)}"`)
const escapeFirst = (name: string) => `\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}`

const keys = text.filter(key => JSON.parse(key) !== backslash)
const member = (value: fc.Arbitrary<Written>) => fc.record({ key: keys, value })

/** Any JSON value, including nulls at every depth and repeated names. */
export const writtenValues: fc.Arbitrary<Written> = fc.letrec<{ value: Written }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    scalars,
    fc.array(tie('value'), { maxLength: 4 }).map(array),
    fc.array(member(tie('value')), { maxLength: 4 }).map(object),
  ),
})).value

const named = (name: string, value: fc.Arbitrary<Written>) => fc.record({ key: spelled(name), value })

const lineItems = fc.oneof(fc.array(writtenValues, { maxLength: 3 }).map(array), writtenValues)

const orders: fc.Arbitrary<Written> = fc
  .array(
    fc.oneof(
      member(writtenValues),
      named('id', scalars),
      named('status', writtenValues),
      named('creationDate', scalars),
      named('billingCycle', scalars),
      named('transactionType', scalars),
      named('lineItems', lineItems),
    ),
    { maxLength: 6 },
  )
  .map(object)

const items = fc
  .array(fc.oneof({ weight: 9, arbitrary: orders }, { weight: 1, arbitrary: fc.constant(scalar('null')) }), {
    maxLength: 4,
  })
  .map(array)

/** A collection of orders in a form that Partner Center could use. */
export const writtenCollections: fc.Arbitrary<Written> = fc
  .tuple(
    fc.array(fc.oneof(member(writtenValues), named('totalCount', scalars)), { maxLength: 2 }),
    named('items', items),
    fc.array(member(writtenValues), { maxLength: 2 }),
  )
  .map(([before, list, after]) => object([...before, list, ...after]))

const spaceStyles = fc.oneof(
  fc.constant(['']),
  fc.constant(['\n  ']),
  fc.constant(['\r\n\t']),
  fc.array(fc.constantFrom('', ' ', '  ', '\n', '\r\n', '\t'), { minLength: 1, maxLength: 7 }),
)

/** Writes a value with white space in every place that JSON allows. */
export const layouts: fc.Arbitrary<(value: Written) => string> = spaceStyles.map(spaces => {
  return value => {
    let place = 0
    const space = () => spaces[place++ % spaces.length] ?? ''
    const around = (inner: string) => space() + inner + space()
    const write = (value: Written): string => {
      if (value.kind === 'scalar') return value.text
      const inner =
        value.kind === 'array'
          ? value.elements.map(element => around(write(element)))
          : value.members.map(({ key, value }) => `${around(key)}:${around(write(value))}`)
      const content = inner.length === 0 ? space() : inner.join(',')
      return value.kind === 'array' ? `[${content}]` : `{${content}}`
    }
    return around(write(value))
  }
})

/** The text without white space and without null members. Null elements of arrays stay. */
export function repaired(value: Written): string {
  if (value.kind === 'scalar') return value.text
  if (value.kind === 'array') return `[${value.elements.map(repaired).join(',')}]`
  const kept = value.members.filter(({ value }) => !isNull(value))
  return `{${kept.map(({ key, value }) => `${key}:${repaired(value)}`).join(',')}}`
}

export const parses = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
