import { HttpRequest } from '@azure/functions'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type AppError, isAppError } from '../../../../shared/errors.ts'
import { invalidParameter, readInput, readJsonObject } from '../../../../shared/http/parameters/input.ts'
import { customerOrders, noParameters } from '../../../../shared/http/parameters/parameters.ts'

const customer = 'b0d70a69-4c42-4b27-b17b-91a835d8686a'
const defaults = { customerTenantId: customer, includePrice: false, includeSystemPurchases: true, allowStale: false }

type Sent = {
  query?: string
  body?: string | Uint8Array
  headers?: Record<string, string>
  id?: string
  method?: string
}

function request({
  query = '',
  body,
  headers = {},
  id = customer,
  method = body === undefined ? 'GET' : 'POST',
}: Sent) {
  return new HttpRequest({
    method,
    url: `http://localhost/api/customers/${encodeURIComponent(id)}/orders${query}`,
    headers,
    params: { customerTenantId: id },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? { string: body } : { bytes: body } }),
  })
}

const read = (sent: Sent) => readInput(request(sent), customerOrders)

async function refusal(promise: Promise<unknown>): Promise<AppError> {
  const error: unknown = await promise.then(
    () => undefined,
    thrown => thrown as unknown,
  )
  if (!isAppError(error)) throw new Error(`Not refused: ${String(error)}`)
  expect(error.code).toBe('invalid_request')
  expect(error.options.target).toBe(error.options.details?.[0]?.target)
  expect(error.message).toBe(error.options.details?.[0]?.message)
  return error
}

const targets = async (sent: Sent) => (await refusal(read(sent))).options.details?.map(({ target }) => target)

describe('the parameters of a request', () => {
  test.each<[string, object]>([
    ['', {}],
    ['?', {}],
    ['?code=platform-key', {}],
    ['?code=a&code=b', {}],
    ['?includePrice=true', { includePrice: true }],
    ['?includePrice=TRUE&includeSystemPurchases=False', { includePrice: true, includeSystemPurchases: false }],
    ['?includePrice=&status=&billingType=&createdFrom=&createdTo=', {}],
    ['?status=COMPLETED&billingType=One_Time', { status: 'completed', billingType: 'one_time' }],
    ['?createdFrom=2026-11-20T00:00:00.5Z', { createdFrom: { seconds: 1_795_132_800, fraction: '5' } }],
    ['?createdFrom=2026-11-20T01:00:00%2B01:00', { createdFrom: { seconds: 1_795_132_800, fraction: '' } }],
    [
      '?createdFrom=2026-11-20T00:00:00Z&createdTo=2026-11-20T00:00:00.0000001Z',
      {
        createdFrom: { seconds: 1_795_132_800, fraction: '' },
        createdTo: { seconds: 1_795_132_800, fraction: '0000001' },
      },
    ],
    // A date means its start in UTC, for either bound.
    ['?createdFrom=2026-11-20', { createdFrom: { seconds: 1_795_132_800, fraction: '' } }],
    [
      '?createdFrom=2026-11-20&createdTo=2026-11-21',
      {
        createdFrom: { seconds: 1_795_132_800, fraction: '' },
        createdTo: { seconds: 1_795_219_200, fraction: '' },
      },
    ],
  ])('the parameters of a request: "%s" are read', async (query, expected) => {
    expect(await read({ query })).toEqual({ ...defaults, ...expected })
  })

  test.each(['monthly', 'annual', 'one_time', 'none', 'triennial', 'biennial'])(
    'the parameters of a request take the billing type %s',
    async billingType => {
      expect(await read({ query: `?billingType=${billingType}` })).toMatchObject({ billingType })
    },
  )

  test('the parameters of a request take a GUID in any case', async () => {
    expect(await read({ id: customer.toUpperCase() })).toMatchObject({ customerTenantId: customer })
  })

  test.each([
    ['?includePrice=1', 'includePrice', 'true or false'],
    ['?includePrice=yes', 'includePrice', 'true or false'],
    ['?includePrice=%20true', 'includePrice', 'true or false'],
    ['?status=done', 'status', 'one of pending, completed, cancelled, unknown'],
    ['?billingType=onetime', 'billingType', 'one of monthly, annual, one_time, none, triennial, biennial'],
    [
      '?createdFrom=2026-02-30',
      'createdFrom',
      'a date such as 2026-11-01 (its start in UTC) or a timestamp with a zone',
    ],
    ['?createdTo=2026-11', 'createdTo', 'a date such as'],
    ['?createdTo=2026-11-20T00:00', 'createdTo', 'a timestamp with a zone'],
    ['?createdFrom=2026-11-20&createdTo=2026-11-20', 'createdTo', 'later than createdFrom'],
    ['?createdFrom=2026-11-20T00:00:00.1Z&createdTo=2026-11-20', 'createdTo', 'later than createdFrom'],
    ['?createdTo=2026-11-20T01:00:00+01:00', 'createdTo', '%2B'],
    ['?createdFrom=2026-11-20T00:00:00Z&createdTo=2026-11-20T00:00:00Z', 'createdTo', 'later than createdFrom'],
    ['?createdFrom=2026-11-20T00:00:00Z&createdTo=2026-11-20T00:30:00%2B01:00', 'createdTo', 'later'],
    ['?Status=pending', 'Status', 'is unknown. This function has the parameters '],
    ['?customerTenantId=x', 'customerTenantId', 'unknown'],
    ['?status=pending&status=pending', 'status', 'more than once'],
    ['?status=&status=pending', 'status', 'more than once'],
    ['?Code=a', 'Code', 'unknown'],
    ['?__proto__=a', '__proto__', 'unknown'],
    ['?constructor=a', 'constructor', 'unknown'],
  ])('the parameters "%s" are refused with a message that names %s', async (query, target, text) => {
    const { message, options } = await refusal(read({ query }))
    expect(options.details?.map(each => each.target)).toEqual([target])
    expect(message).toContain(target)
    expect(message).toContain(text)
  })

  test.each([
    '',
    'x',
    `${customer}0`,
    customer.replaceAll('-', ''),
    `{${customer}}`,
    `${customer}\n`,
    `${customer.slice(0, -1)}g`,
  ])('the parameters of a request are refused for the customer %j', async id => {
    const { message } = await refusal(read({ id }))
    expect(message).toContain("'customerTenantId' must be a GUID such as")
  })

  test('the parameters of a request are refused for all their faults at once', async () => {
    const sent = { id: 'x', query: '?a=1&status=x&includePrice=2&status=y&createdTo=z&b=2' }
    const [first, second, third, ...others] = (await targets(sent)) ?? []
    expect([first, second, third]).toEqual(['a', 'status', 'b'])
    expect(others.toSorted()).toEqual(['createdTo', 'customerTenantId', 'includePrice', 'status'])
  })

  test('an unknown parameter name is refused in a short and printable form', async () => {
    const name = `<script>\r\n"é'${'x'.repeat(200)}`
    const { message, options } = await refusal(read({ query: `?${encodeURIComponent(name)}=1` }))
    expect(options.target).toMatch(/^\?script\?+x+$/)
    expect(options.target).toHaveLength(64)
    expect(message).not.toMatch(/[<>\r\n"é]/)
  })

  test('parameters of a function without parameters are refused', async () => {
    const { message } = await refusal(readInput(request({ query: '?a=1' }), noParameters))
    expect(message).toBe("Parameter 'a' is unknown. This function has no parameters.")
    expect(await readInput(request({ query: '?code=1' }), noParameters)).toEqual({})
  })

  test('parameters without a documented form are refused, too', async () => {
    const parameters = { path: {}, query: { n: z.string().regex(/^\d$/) } }
    expect((await refusal(readInput(request({ query: '?n=x' }), parameters))).message).toBe(
      "Parameter 'n' must be in the documented form.",
    )
  })

  test('a parameter that a use case rejects is named in the same way', () => {
    expect(invalidParameter('cursor', 'a cursor of this list')).toMatchObject({
      code: 'invalid_request',
      message: "Parameter 'cursor' must be a cursor of this list.",
      options: { target: 'cursor', details: [{ target: 'cursor' }] },
    })
  })
})

describe('the parameters in a body', () => {
  test.each<[string, object]>([
    ['', {}],
    [' \r\n', {}],
    ['{}', {}],
    ['\uFEFF{}', {}],
    ['{"includePrice":true}', { includePrice: true }],
    ['{"includePrice":"TRUE"}', { includePrice: true }],
    ['{"includeSystemPurchases":false,"status":null,"billingType":""}', { includeSystemPurchases: false }],
    ['{"status":"Pending"}', { status: 'pending' }],
  ])('the parameters in a body: %j are read', async (body, expected) => {
    expect(await read({ body })).toEqual({ ...defaults, ...expected })
  })

  test('the parameters in a body are added to those of the query', async () => {
    const sent = { body: '{"status":"pending"}', query: '?includePrice=true&code=x' }
    expect(await read(sent)).toEqual({ ...defaults, status: 'pending', includePrice: true })
  })

  test.each([
    ['{"status":"pending"}', '?status=pending', ['status']],
    ['{"status":null}', '?status=pending', ['status']],
    ['{"state":"pending"}', '', ['state']],
    ['{"customerTenantId":"x"}', '', ['customerTenantId']],
    ['{"__proto__":"x"}', '', ['__proto__']],
    ['{"includePrice":1}', '', ['includePrice']],
    ['{"status":["pending"]}', '', ['status']],
    ['{"status":{"a":1},"createdFrom":5}', '', ['status', 'createdFrom']],
    ['[]', '', ['body']],
    ['null', '', ['body']],
    ['"text"', '', ['body']],
    ['1', '', ['body']],
    ['{"status":', '', ['body']],
    ['status=pending', '', ['body']],
  ])('the body %s with the query "%s" is refused with a message that names %j', async (body, query, expected) => {
    expect((await targets({ body, query }))?.toSorted()).toEqual(expected.toSorted())
  })

  test('a body is not read from a GET, nor by a function without body parameters', async () => {
    expect(await read({ method: 'GET', headers: { 'transfer-encoding': 'chunked' } })).toEqual(defaults)
    const { body: _, ...withoutBody } = customerOrders
    expect(await readInput(request({ body: '{"status":"pending"}' }), withoutBody)).toEqual(defaults)
  })
})

test('a JSON number in a body stands for its text', async () => {
  const shape = { n: z.string().regex(/^\d$/) }
  expect(await readInput(request({ body: '{"n":5}' }), { path: {}, query: shape, body: shape })).toEqual({ n: '5' })
})

describe('a JSON body', () => {
  const ofSize = (bytes: number, letter = 'x') => {
    const frame = Buffer.byteLength('{"a":""}')
    return `{"a":"${letter.repeat((bytes - frame) / Buffer.byteLength(letter))}"}`
  }

  test('a JSON body can have 64 KiB, counted in bytes', async () => {
    const limit = 64 * 1024
    for (const letter of ['x', 'é']) {
      expect(await readJsonObject(request({ body: ofSize(limit, letter) }))).toHaveProperty('a')
      const { message } = await refusal(readJsonObject(request({ body: `${ofSize(limit, letter)} ` })))
      expect(message).toContain('64 KiB')
    }
  })

  test('a JSON body that was sent chunked is an error that says so', async () => {
    const headers = { 'transfer-encoding': 'Chunked' }
    const { message, options } = await refusal(readJsonObject(request({ method: 'POST', headers })))
    expect(options.target).toBe('body')
    expect(message).toContain('chunked')
    expect(await readJsonObject(request({ body: '{"a":1}', headers }))).toEqual({ a: 1 })
    expect(await readJsonObject(request({ method: 'POST' }))).toEqual({})
  })

  test('an error about a JSON body never repeats its content', async () => {
    const { message } = await refusal(readJsonObject(request({ body: '{"password":"hunter2"' })))
    expect(message).toBe('The body must be a JSON object.')
  })
})
