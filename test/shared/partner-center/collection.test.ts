import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readItems, readOrder, readOrderCollection } from '../../../shared/partner-center/collection.ts'
import { maxDepth } from '../../../shared/partner-center/json-bytes.ts'
import {
  backslash,
  isNull,
  layouts,
  type Member,
  nameOf,
  parses,
  repaired,
  type Written,
  writtenCollections,
} from './json-texts.ts'

const membersOf = (value: Written): Member[] => (value.kind === 'object' ? value.members : [])

/** The expected order, derived from the written one. */
function expectedOrder(order: Written) {
  const kept = membersOf(order).filter(
    member => !isNull(member.value) && (nameOf(member) !== 'lineItems' || member.value.kind === 'array'),
  )
  const last = (name: string) => kept.findLast(member => nameOf(member) === name)?.value
  const lines = last('lineItems')
  const key = '"lineItems"'
  return {
    json: repaired(
      isNull(order)
        ? order
        : {
            kind: 'object',
            members: lines === undefined ? [...kept, { key, value: { kind: 'array', elements: [] } }] : kept,
          },
    ),
    id: textOf(last('id')) ?? '',
    creationDate: textOf(last('creationDate')),
    status: textOf(last('status')),
    billingCycle: textOf(last('billingCycle')),
    transactionType: textOf(last('transactionType')),
    lines: lines?.kind === 'array' ? lines.elements.filter(({ kind }) => kind === 'object').length : 0,
  }
}

/** The text of a text or a number. */
function textOf(value: Written | undefined): string | undefined {
  if (value?.kind !== 'scalar' || /^[tfn]/.test(value.text)) return undefined
  return value.text.startsWith('"') ? (JSON.parse(value.text) as string) : value.text
}

const readable = ({ json, ...others }: ReturnType<typeof readOrder>) => ({ ...others, json: json.toString() })

/** The elements of `items`, or undefined if JSON.parse finds no collection. */
function itemsByParse(text: string): unknown[] | undefined {
  if (!parses(text)) return undefined
  const root: unknown = JSON.parse(text)
  if (typeof root !== 'object' || root === null || Array.isArray(root)) return undefined
  const items: unknown = Object.getOwnPropertyDescriptor(root, 'items')?.value
  const isItem = (item: unknown) => typeof item === 'object' && !Array.isArray(item)
  return Array.isArray(items) && items.every(isItem) ? items : undefined
}

function itemsByReader(body: Buffer): unknown[] | undefined {
  try {
    return readOrderCollection(body).items.map(({ json }) => JSON.parse(json.toString()) as unknown)
  } catch (error) {
    expect(error).toBeInstanceOf(SyntaxError)
    return undefined
  }
}

const read = (text: string) => readOrderCollection(Buffer.from(text))
const firstOrder = (order: string) => read(`{"items":[${order}]}`).items.map(readable)[0]

describe('a collection of orders', () => {
  test('a collection of orders is repaired and keeps its digits, however it was written', () => {
    fc.assert(
      fc.property(writtenCollections, layouts, fc.boolean(), (collection, layout, withMark) => {
        const { items, envelope } = read((withMark ? '\uFEFF' : '') + layout(collection))
        const members = membersOf(collection)
        const list = members.find(member => nameOf(member) === 'items')?.value
        expect(items.map(readable)).toEqual(list?.kind === 'array' ? list.elements.map(expectedOrder) : [])
        // The last of repeated names counts, as in JSON.parse.
        const others = new Map<string, string>()
        for (const member of members) {
          if (isNull(member.value)) others.delete(nameOf(member))
          else if (nameOf(member) !== 'items') others.set(nameOf(member), repaired(member.value))
        }
        expect(envelope.map(({ key, json }) => [key, json.toString()])).toEqual([...others])
      }),
      { numRuns: 4000 },
    )
  })

  test('a collection of orders parses to what was sent without its null members', () => {
    // Values with a backslash are in the test above.
    const characters = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter(each => each !== backslash)
    const orders = fc.array(
      fc.dictionary(
        fc.string({ unit: characters, maxLength: 3 }),
        fc.jsonValue({ maxDepth: 3, stringUnit: characters }),
      ),
      { maxLength: 3 },
    )
    fc.assert(
      fc.property(orders, fc.constantFrom('', '  ', '\t'), (orders, indent) => {
        const text = JSON.stringify({ items: orders, totalCount: 1 }, null, indent)
        const dropNulls = function (this: unknown, _: string, value: unknown) {
          return value === null && !Array.isArray(this) ? undefined : value
        }
        const sent = JSON.parse(text, dropNulls) as { items: object[] }
        expect(itemsByReader(Buffer.from(text))).toEqual(sent.items.map(order => ({ ...order, lineItems: [] })))
      }),
      { numRuns: 2000 },
    )
  })

  test('a collection of orders is accepted exactly if JSON.parse finds one, whatever happened to its bytes', () => {
    const change = fc.record({
      at: fc.nat(),
      removed: fc.nat({ max: 3 }),
      added: fc.oneof(
        fc.uint8Array({ maxLength: 3 }),
        fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', ' ', 'null', '[]', '{}', '0', 'e').map(Buffer.from),
      ),
    })
    fc.assert(
      fc.property(writtenCollections, layouts, fc.array(change, { maxLength: 3 }), (collection, layout, changes) => {
        const body = changes.reduce(
          (bytes, { at, removed, added }) => {
            const place = at % (bytes.length + 1)
            return Buffer.concat([bytes.subarray(0, place), added, bytes.subarray(place + removed)])
          },
          Buffer.from(layout(collection)),
        )
        const text = body.toString('utf8').replace(/^\uFEFF/, '')
        expect(itemsByReader(body)?.length).toBe(itemsByParse(text)?.length)
      }),
      { numRuns: 8000 },
    )
  })

  test('a collection of orders that is cut short is refused, wherever the cut falls', () => {
    const body = Buffer.from('{"items":[{"id":"é\\u0041","n":[1.5e3,null,true]},null],"links":{"self":{}}}')
    for (let length = 0; length < body.length; length++) {
      expect(itemsByReader(body.subarray(0, length)), body.subarray(0, length).toString()).toBeUndefined()
    }
    expect(itemsByReader(body)).toHaveLength(2)
  })

  test.each([
    ...['', 'null', '[]', '"items"', '1', '<html>', '{}', '{"items":null}', '{"items":{}}', '{"items":"[]"}'],
    ...['{"items":[1]}', '{"items":["a"]}', '{"items":[[]]}', '{"items":[true]}', '{"items":[nil]}', '{"Items":[]}'],
    ...[
      '{"items":[]} x',
      '{"items":[]}{}',
      '{"items":[x"a":1}]}',
      '{"items":[["a":1}]}',
      'x"items":[]}',
      '{"items":[{}],"items":null}',
      '{"a":{"items":[]}}',
    ],
  ])('a collection of orders is not accepted: %s', text => {
    expect(() => read(text)).toThrow(SyntaxError)
  })

  test('a collection of orders has the items of its last `items`, as in JSON.parse', () => {
    const text = '{"items":[{"id":"a"}],"items":[{"id":"b"}]}'
    expect(read(text).items.map(({ id }) => id)).toEqual(['b'])
  })

  test('a collection of orders has at most 200,000 orders, and no longer list or object', () => {
    const orders = (count: number) => `{"items":[${'{"id":1},'.repeat(count - 1)}{}]}`
    expect(read(orders(200_000)).items).toHaveLength(200_000)
    expect(() => read(orders(200_001))).toThrow(RangeError)
    expect(() => read(`{"items":[{"a":[${'1,'.repeat(200_000)}1]}]}`)).toThrow(RangeError)
    expect(() => read(`{"items":[{${'"a":1,'.repeat(200_000)}"a":1}]}`)).toThrow(RangeError)
    expect(() => read(`{"items":[],${'"a":1,'.repeat(200_000)}"a":1}`)).toThrow(RangeError)
  })

  test('a collection of orders has no order with more than two million values or one million gaps', () => {
    const lists = (element: string) => `[${`[${`${element},`.repeat(99_999)}${element}],`.repeat(21)}[]]`
    expect(() => read(`{"items":[{"a":${lists('1')}}]}`)).toThrow(RangeError)
    expect(() => read(`{"items":[{"a":${lists(' 1')}}]}`)).toThrow(RangeError)
    expect(read(`{"items":[{"a":[${'1,'.repeat(99_999)}1]},{"a":[ ${'1, '.repeat(99_999)}1]}]}`).items).toHaveLength(2)
  })

  test('a collection of orders is read to its depth limit and not beyond', () => {
    const nested = (depth: number) => `{"items":[{"a":${'['.repeat(depth - 3)}${']'.repeat(depth - 3)}}]}`
    expect(read(nested(maxDepth)).items).toHaveLength(1)
    expect(() => read(nested(maxDepth + 1))).toThrow(SyntaxError)
    const order = (depth: number) => Buffer.from(`{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`)
    expect(readOrder(order(maxDepth)).lines).toBe(0)
    expect(() => readOrder(order(maxDepth + 1))).toThrow(SyntaxError)
    const envelope = (depth: number) => `{"items":[],"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
    expect(read(envelope(maxDepth)).envelope).toHaveLength(1)
    expect(() => read(envelope(maxDepth + 1))).toThrow(SyntaxError)
  })

  test('a collection of orders that is not UTF-8 has replacement characters instead', () => {
    const body = Buffer.concat([Buffer.from('{"items":[{"id":"a'), Buffer.from([0xff]), Buffer.from('"}]}')])
    expect(readOrderCollection(body).items.map(({ id }) => id)).toEqual(['a\uFFFD'])
  })
})

describe('an order', () => {
  test.each([
    ['{"id":"a"}', { id: 'a' }],
    ['{"id":"a\\u00e9\\n"}', { id: 'aé\n' }],
    ['{"\\u0069d":"a"}', { id: 'a' }],
    ['{"ID":"a"}', { id: '' }],
    ['{"id":"a","id":"b"}', { id: 'b' }],
    ['{"id":"a","id":null}', { id: 'a' }],
    ['{"id":12.50}', { id: '12.50' }],
    ['{"id":-0}', { id: '-0' }],
    ['{"id":{"id":"a"}}', { id: '' }],
    ['{"x":{"id":"a","status":"b"}}', { id: '', status: undefined }],
    ['{"status":7}', { status: '7' }],
    ['{"status":true}', { status: undefined }],
    ['{"status":""}', { status: '' }],
    [
      '{"billingCycle":"one_time","transactionType":"UserPurchase"}',
      { billingCycle: 'one_time', transactionType: 'UserPurchase' },
    ],
    ['{"creationDate":1e3}', { creationDate: '1e3' }],
    ['{"creationDate":["2020"]}', { creationDate: undefined }],
    ['{"creationDate":"2018-03-15T02:17:15.6455674Z"}', { creationDate: '2018-03-15T02:17:15.6455674Z' }],
  ])('the member %s of an order is read', (order, expected) => {
    expect(firstOrder(order)).toMatchObject(expected)
  })

  test.each([
    ['{}', '{"lineItems":[]}', 0],
    ['{"a":null}', '{"lineItems":[]}', 0],
    ['{"a":1}', '{"a":1,"lineItems":[]}', 0],
    ['{"lineItems":null,"a":1}', '{"a":1,"lineItems":[]}', 0],
    ['{"a":1,"lineItems":{"x":1},"b":2}', '{"a":1,"b":2,"lineItems":[]}', 0],
    ['{"lineItems":"x"}', '{"lineItems":[]}', 0],
    ['{"lineItems":[]}', '{"lineItems":[]}', 0],
    ['{"tags":[{},{}],"lineItems":[]}', '{"tags":[{},{}],"lineItems":[]}', 0],
    ['{"lineItems":[{},null,1,{"a":[{}]}]}', '{"lineItems":[{},null,1,{"a":[{}]}]}', 2],
    ['{"line\\u0049tems":[{}]}', '{"line\\u0049tems":[{}]}', 1],
    ['{"a":{"lineItems":null}}', '{"a":{},"lineItems":[]}', 0],
    ['{"lineItems":[{"lineItems":null}]}', '{"lineItems":[{}]}', 1],
    ['null', 'null', 0],
  ])('an order %s has its order lines in an array', (order, json, lines) => {
    expect(firstOrder(order)).toMatchObject({ json, lines })
  })

  test('an order is read the same by itself as in a collection', () => {
    const text = ' {"id": "a", "note": null, "lineItems": [ {"n": 1.50} ]} '
    expect(readable(readOrder(Buffer.from(`\uFEFF${text}`)))).toEqual(firstOrder(text))
  })

  test.each(['', 'null', '[]', '"a"', '{', '{} {}', '{}x'])('an order is not accepted: %j', text => {
    expect(() => readOrder(Buffer.from(text))).toThrow(SyntaxError)
  })
})

describe('the items of any other collection', () => {
  test('the items of any other collection are repaired and returned as one array', () => {
    fc.assert(
      fc.property(writtenCollections, layouts, (collection, layout) => {
        const list = membersOf(collection).find(member => nameOf(member) === 'items')?.value
        expect(`[${readItems(Buffer.from(layout(collection))).items}]`).toBe(list && repaired(list))
      }),
      { numRuns: 1000 },
    )
    const any = '\uFEFF{ "items" : [ 1.50 , null , "a" , [ ] , {"lineItems":null} ] , "a" : null }'
    expect(readItems(Buffer.from(any)).items.toString()).toBe('1.50,null,"a",[],{}')
  })

  test.each([
    '',
    '[]',
    'null',
    '{}',
    '{"items":null}',
    'x"items":[]}',
    '{"items":{}}',
    '{"items":[]',
    '{"items":[]} x',
    '{"items":[1,]}',
  ])('a collection without items is refused: %j', text => {
    expect(() => readItems(Buffer.from(text))).toThrow(SyntaxError)
  })
})
