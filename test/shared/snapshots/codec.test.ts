import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type OrderBytes, readOrder } from '../../../shared/partner-center/collection.ts'
import {
  decodeLines,
  decodeOrders,
  emptyMember,
  encodeCustomer,
  encodeLines,
  hashOrders,
} from '../../../shared/snapshots/storage/codec.ts'

const order = fc
  .record({
    id: fc.string({ unit: 'grapheme' }),
    note: fc.string({ unit: 'binary' }),
    more: fc.jsonValue({ maxDepth: 2 }),
  })
  .map(value => readOrder(Buffer.from(JSON.stringify(value))))
const head = fc.record({
  customerTenantId: fc.uuid(),
  // Names that look like members of the line must not confuse the reader.
  customerName: fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom(',"order":{', '"retrievedAt":', '\n', '}\n')),
  retrievedAt: fc
    .date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31') })
    .map(date => date.toISOString()),
})
const texts = (orders: readonly OrderBytes[]) => orders.map(({ json }) => json.toString())

describe('a customer in a part', () => {
  test('a customer in a part keeps its bytes, alone and within a part, for any orders and names', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(head, fc.array(order, { maxLength: 4 })), { maxLength: 3 }),
        async customers => {
          const members = await Promise.all(customers.map(([head, orders]) => encodeCustomer(head, orders)))
          for (const [at, [, orders]] of customers.entries()) {
            const member = members[at] ?? Buffer.alloc(0)
            expect((await decodeOrders(member)).map(String)).toEqual(texts(orders))
            expect(member.length === 0).toBe(orders.length === 0)
          }
          const whole = await decodeLines(Buffer.concat(members))
          const rows = whole.map(line => JSON.parse(line.toString()) as { order: unknown; customerName: string })
          expect(rows.map(({ order }) => order)).toEqual(
            customers.flatMap(([, orders]) => texts(orders).map(text => JSON.parse(text))),
          )
          expect(rows.map(({ customerName }) => customerName)).toEqual(
            customers.flatMap(([{ customerName }, orders]) => orders.map(() => customerName)),
          )
        },
      ),
      { numRuns: 10_000 },
    )
  }, 60_000)

  test('a customer in a part is a gzip member without a time or a system in its header', async () => {
    const orders = [readOrder(Buffer.from('{"id":"a"}'))]
    const member = await encodeCustomer({ customerTenantId: 'c', customerName: 'n', retrievedAt: 't' }, orders)
    expect(member.readUInt32LE(4)).toBe(0)
    expect(member[9]).toBe(0xff)
    expect(gunzipSync(member).toString()).toBe(
      '{"customerTenantId":"c","customerName":"n","retrievedAt":"t","order":{"id":"a","lineItems":[]}}\n',
    )
  })

  test('a customer in a part has a hash that depends only on its orders', () => {
    fc.assert(
      fc.property(fc.array(order), fc.array(order), (a, b) => {
        expect(hashOrders(a) === hashOrders(b)).toBe(JSON.stringify(texts(a)) === JSON.stringify(texts(b)))
      }),
    )
  })
})

test('an empty member has 20 bytes and every reader accepts it', async () => {
  const empty = await emptyMember()
  expect(empty.length).toBe(20)
  expect(gunzipSync(empty).length).toBe(0)
  expect(await decodeLines(empty)).toEqual([])
  expect(await encodeLines([])).toEqual(Buffer.alloc(0))
})

test.each([
  ['no gzip', Buffer.from('hello')],
  ['a member cut short', undefined],
])('%s is rejected', async (_, bytes) => {
  const member = bytes ?? (await encodeLines(['{"a":1}'])).subarray(0, 15)
  await expect(decodeLines(member)).rejects.toThrow()
})

test('a line in another form is refused', async () => {
  await expect(decodeOrders(await encodeLines(['{"hello":"world"}']))).rejects.toThrow('Not a line')
})
