import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { AppError } from '../../../shared/errors.ts'
import { orderPageLimits, parseResponse, readPages, toNextRequest } from '../../../shared/partner-center/paging.ts'
import type { PartnerRequest, RequestPartnerCenter } from '../../../shared/partner-center/request.ts'
import { createOperation } from '../../support/operations.ts'

const base = 'https://api.example.com'
const pathOf = (uri: string, baseUrl = base) => toNextRequest({ uri }, baseUrl).path
const headersOf = (headers: [string, string][]) =>
  toNextRequest({ uri: '/customers', headers: headers.map(([key, value]) => ({ key, value })) }, base).headers

const invalidResponse = expect.objectContaining({ code: 'partner_center_invalid_response' })

describe('the link to the next page', () => {
  test.each([
    ['/customers?size=500&seekOperation=Next', '/v1/customers?size=500&seekOperation=Next'],
    ['customers?size=500', '/v1/customers?size=500'],
    ['/v1/customers?size=500', '/v1/customers?size=500'],
    ['v1/customers', '/v1/customers'],
    ['/V1/customers', '/V1/customers'],
    ['/v10/customers', '/v1/v10/customers'],
    ['https://api.example.com/customers', '/v1/customers'],
    ['https://api.example.com/v1/customers?a=b%20c', '/v1/customers?a=b%20c'],
    ['HTTPS://API.EXAMPLE.COM:443/v1/customers', '/v1/customers'],
    ['//api.example.com/customers', '/v1/customers'],
    ['/v1/customers#part', '/v1/customers'],
    ['/customers/../../v1/x', '/v1/x'],
    ['/customers/a:b/orders', '/v1/customers/a:b/orders'],
    ['/customers?next=https://evil.example/', '/v1/customers?next=https://evil.example/'],
  ])('the next link %s leads to %s', (uri, path) => {
    expect(pathOf(uri)).toBe(path)
  })

  test.each([
    ['/customers', '/v1/customers'],
    ['/v1/customers', '/v1/customers'],
    ['/gateway/v1/customers', '/v1/customers'],
    ['/gateway/customers', '/v1/customers'],
    ['/gatewayed/customers', '/v1/gatewayed/customers'],
    ['https://api.example.com/gateway/v1/customers', '/v1/customers'],
  ])('the next link %s below a base URL with a path leads to %s', (uri, path) => {
    expect(pathOf(uri, `${base}/gateway`)).toBe(path)
    expect(pathOf(uri, `${base}/gateway/`)).toBe(path)
  })

  test.each([
    'https://evil.example/v1/customers',
    'http://api.example.com/v1/customers',
    'https://api.example.com:8443/v1/customers',
    'https://api.example.com.evil.example/v1/customers',
    'https://api.example.com@evil.example/v1/customers',
    'https://user@api.example.com/v1/customers',
    'https://:password@api.example.com/v1/customers',
    '//evil.example/v1/customers',
    '\\\\evil.example/v1/customers',
    '/\\evil.example/v1/customers',
    '\\/evil.example/v1/customers',
    '/\t/evil.example/v1/customers',
    '\t//evil.example/v1/customers',
    'javascript:alert(1)',
    'data:application/json,{}',
    'file:///etc/passwd',
    'https://',
    'https://[::1/v1',
  ])('the link to the next page: %j is refused', uri => {
    expect(() => pathOf(uri)).toThrow(invalidResponse)
    expect(() => pathOf(uri)).toThrow(/leads to another host|is not a URL/)
  })

  test('the link to the next page stays on the host of the base URL or is refused', () => {
    const pieces = fc.constantFrom(
      ...[
        '/',
        '\\',
        ':',
        '@',
        '?',
        '#',
        '.',
        '..',
        '\t',
        '\n',
        ' ',
        '%2f',
        'https:',
        'http:',
        'evil.example',
        'v1',
        'é',
      ],
      ...['api.example.com', '[::1]', '/gateway', 'customers'],
    )
    fc.assert(
      fc.property(
        fc.array(pieces, { maxLength: 7 }).map(parts => parts.join('')),
        fc.constantFrom(base, `${base}/gateway`),
        (uri, baseUrl) => {
          let path: string
          try {
            path = pathOf(uri, baseUrl)
          } catch (error) {
            expect(error).toEqual(invalidResponse)
            return
          }
          expect(path).toMatch(/^\/v1\//i)
          const sent = new URL(baseUrl + path)
          expect(sent.origin).toBe(base)
          expect(sent.username).toBe('')
        },
      ),
      { numRuns: 10_000 },
    )
  })

  test('the link to the next page has its headers copied, except those of this app', () => {
    const ours = [
      ...['Authorization', 'Host', 'Cookie', 'Connection', 'Keep-Alive', 'TE', 'Trailer', 'Upgrade', 'Expect'],
      ...['Transfer-Encoding', 'Content-Length', 'Content-Type', 'Accept', 'Accept-Encoding', 'Proxy-Authorization'],
      ...['MS-RequestId', 'MS-CorrelationId'],
    ]
    expect(
      headersOf([
        ['MS-ContinuationToken', 'AbC+/='],
        ['X-Tenth', '10\t%'],
        ...ours.map((key): [string, string] => [key, 'theirs']),
        ...ours.map((key): [string, string] => [key.toUpperCase(), 'theirs']),
        ['X-Authorization', 'kept'],
        ['Telemetry', 'kept'],
        ['A', ''],
      ]),
    ).toEqual({
      'ms-continuationtoken': 'AbC+/=',
      'x-tenth': '10\t%',
      'x-authorization': 'kept',
      telemetry: 'kept',
      a: '',
    })
    expect(toNextRequest({ uri: '/a', headers: null }, base).headers).toEqual({})
    expect(toNextRequest({ uri: '/a' }, base).headers).toEqual({})
  })

  test.each([
    ['X-A', 'b\r\nX-Injected: c'],
    ['X-A', 'b\n'],
    ['X-A', 'é'],
    ['X-A', '\u0000'],
    ['X-A', 'x'.repeat(16_385)],
    ['X A', 'b'],
    ['X-A:', 'b'],
    ['', 'b'],
    ['X'.repeat(101), 'b'],
    ['X-A\r\n', 'b'],
    ['Authorization\r\nX', 'b'],
  ])('the link to the next page with the header %j is refused', (key, value) => {
    expect(() => headersOf([[key, value]])).toThrow(invalidResponse)
    expect(() => headersOf([[key, value]])).toThrow('malformed header')
  })

  test('the link to the next page can have long headers', () => {
    expect(headersOf([['X'.repeat(100), 'x'.repeat(16_384)]])).toEqual({ ['x'.repeat(100)]: 'x'.repeat(16_384) })
  })
})

type Answer = { body: string; next?: string; header?: string } | Error

/** Responds to requests in turn, and records them. */
function script(answers: Answer[]) {
  const asked: PartnerRequest[] = []
  const request: RequestPartnerCenter = async partnerRequest => {
    asked.push(partnerRequest)
    const answer = answers[asked.length - 1]
    if (answer === undefined) throw new Error('Asked for more pages than there are')
    if (answer instanceof Error) throw answer
    return { status: 200, headers: {}, body: Buffer.from(JSON.stringify(answer)) }
  }
  return { request, asked }
}

function parse(body: Buffer) {
  const { body: value, next, header } = JSON.parse(body.toString()) as Exclude<Answer, Error>
  if (value === 'broken') throw new SyntaxError('broken')
  const headers = header === undefined ? null : [{ key: 'MS-ContinuationToken', value: header }]
  return { value, next: next === undefined ? null : { uri: next, headers } }
}

const first: PartnerRequest = { path: '/v1/customers', headers: { first: 'yes' } }

async function readAll(answers: Answer[], options?: Parameters<typeof readPages>[5]) {
  const { request, asked } = script(answers)
  const values: string[] = []
  const failure: unknown = await (async () => {
    for await (const value of readPages(request, base, first, parse, createOperation(), options)) values.push(value)
  })().catch((error: unknown) => error)
  return { values, asked, failure }
}

const upstream = (status: number, code?: string) =>
  new AppError('partner_center_invalid_response', 'refused', { upstream: { status, code } })

describe('the pages of a list', () => {
  test('the pages of a list are read in turn until there is no next one', async () => {
    const { values, asked, failure } = await readAll([
      { body: 'a', next: '/customers?page=2', header: 't2' },
      { body: 'b', next: '/v1/customers?page=3' },
      { body: 'c' },
    ])
    expect(failure).toBeUndefined()
    expect(values).toEqual(['a', 'b', 'c'])
    expect(asked).toEqual([
      first,
      { path: '/v1/customers?page=2', headers: { 'ms-continuationtoken': 't2' } },
      { path: '/v1/customers?page=3', headers: {} },
    ])
  })

  test('the pages of a list end at the limit of pages', async () => {
    const pages = (count: number): Answer[] =>
      Array.from({ length: count }, (_, at) => ({ body: String(at), ...(at < count - 1 ? { next: '/x' } : {}) }))
    const within = await readAll(pages(3), { limits: { pages: 3, bytes: 1e6 } })
    const beyond = await readAll(pages(4), { limits: { pages: 3, bytes: 1e6 } })
    const byDefault = await readAll(pages(201))

    expect(within).toMatchObject({ values: ['0', '1', '2'], failure: undefined })
    expect(beyond.failure).toEqual(invalidResponse)
    expect(beyond.asked).toHaveLength(3)
    expect(byDefault.failure).toEqual(invalidResponse)
    expect(String(byDefault.failure)).toContain('200 pages or 256 MiB')
    expect(byDefault.asked).toHaveLength(200)
  })

  test('the pages of a list end at the limit of bytes, added up over the pages', async () => {
    const answers: Answer[] = [{ body: 'a', next: '/x' }, { body: 'b' }]
    const size = answers.reduce((sum, answer) => sum + JSON.stringify(answer).length, 0)
    const within = await readAll(answers, { limits: { pages: 9, bytes: size } })
    const beyond = await readAll(answers, { limits: { pages: 9, bytes: size - 1 } })

    expect(within).toMatchObject({ values: ['a', 'b'], failure: undefined })
    expect(beyond.failure).toEqual(invalidResponse)
    expect(beyond.values).toEqual(['a'])
    expect(orderPageLimits).toEqual({ pages: 200, bytes: 256 * 1024 * 1024 })
  })

  test('the pages of a list end at code 2000, for lists that allow it', async () => {
    const page: Answer = { body: 'a', next: '/x' }
    const ended = await readAll([page, upstream(400, '2000')], { endsBeyond: true })

    expect(ended).toMatchObject({ values: ['a'], failure: undefined })
    expect((await readAll([page, upstream(400, '2000')])).failure).toMatchObject({ message: 'refused' })
    for (const [answers, endsBeyond] of [
      [[page, upstream(400, '2000')], false],
      [[upstream(400, '2000')], true],
      [[page, upstream(400, '2001')], true],
      [[page, upstream(400)], true],
      [[page, upstream(404, '2000')], true],
      [[page, new Error('2000')], true],
    ] as const) {
      expect((await readAll([...answers], { endsBeyond })).failure).toBe(answers.at(-1))
    }
  })

  test('the pages of a list stop at an unreadable page or a link to another host', async () => {
    const broken = await readAll([{ body: 'a', next: '/x' }, { body: 'broken' }])
    const away = await readAll([{ body: 'a', next: 'https://evil.example/x' }])

    expect(broken).toMatchObject({ values: ['a'], failure: invalidResponse })
    expect(broken.failure).toMatchObject({ cause: expect.any(SyntaxError) })
    expect(away).toMatchObject({ values: ['a'], failure: invalidResponse })
    expect(away.asked).toHaveLength(1)
  })
})

test('a response that its parser rejects is an invalid response, and an AppError stays unchanged', () => {
  const ours = new AppError('deadline_exceeded', 'late')
  const throwing = (error: unknown) => () => {
    throw error
  }
  expect(parseResponse(Buffer.from('a'), String)).toBe('a')
  expect(() => parseResponse(Buffer.from(''), throwing(ours))).toThrow(ours)
  expect(() => parseResponse(Buffer.from(''), () => z.string().parse(1))).toThrow(invalidResponse)
})
