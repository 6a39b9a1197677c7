import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { respond } from '../../../../shared/http/responses/response.ts'

const headersOf = (response: ReturnType<typeof respond>) => response.headers as Record<string, string>
const etagOf = (body: string | Buffer) => headersOf(respond(body, { ifNoneMatch: null })).etag ?? ''

describe('a response', () => {
  test('a response is JSON with private caching by default', () => {
    expect(respond('{}')).toEqual({
      status: 200,
      headers: { 'cache-control': 'private, no-cache', 'content-type': 'application/json' },
      body: '{}',
    })
    expect(
      respond('a,b', { status: 202, contentType: 'text/csv', headers: { 'x-a': '1', 'cache-control': 'no-store' } }),
    ).toEqual({
      status: 202,
      headers: { 'cache-control': 'no-store', 'content-type': 'text/csv', 'x-a': '1' },
      body: 'a,b',
    })
  })

  test('a response has a strong ETag of its bytes on request', () => {
    const digest = createHash('sha256').update('é').digest('base64url')
    expect(etagOf('é')).toBe(`"${digest}"`)
    expect(etagOf(Buffer.from('é'))).toBe(`"${digest}"`)
    expect(etagOf('e')).not.toBe(etagOf('é'))
    expect(respond('é', { ifNoneMatch: null })).toMatchObject({ status: 200, body: 'é' })
    expect(headersOf(respond('é'))).not.toHaveProperty('etag')
  })
})

describe('If-None-Match', () => {
  const etag = etagOf('body')

  test.each([
    etag,
    `W/${etag}`,
    ` ${etag} `,
    `"other", ${etag}`,
    `${etag}, "other"`,
    `"other",W/"another",W/${etag}`,
    `"a,b", ${etag}`,
    `"",${etag}`,
    '*',
    ' * ',
  ])('If-None-Match %s gives 304', ifNoneMatch => {
    expect(respond('body', { ifNoneMatch, headers: { 'x-a': '1' } })).toEqual({
      status: 304,
      headers: { 'cache-control': 'private, no-cache', etag, 'x-a': '1' },
    })
  })

  test.each([
    '',
    '"other"',
    'W/"other"',
    etag.slice(1, -1),
    etag.slice(0, -1),
    etag.toLowerCase(),
    etag.replace('"', '" '),
    `"${etag.slice(1, -1)}x"`,
    '"*"',
    '**',
    'W/*',
    `"x${etag.slice(1)}`,
  ])('If-None-Match %s gives the full response', ifNoneMatch => {
    expect(respond('body', { ifNoneMatch })).toMatchObject({ status: 200, body: 'body', headers: { etag } })
  })
})

test('a list of ETags of any size is accepted', async () => {
  for (const size of [0, 1, 1024 * 1024 - 1, 1024 * 1024, 3_000_001]) {
    const bytes = Buffer.alloc(size, 'ab')
    const { body, headers } = respond(bytes, { ifNoneMatch: null })
    expect(
      Buffer.from(await new Response(body as ConstructorParameters<typeof Response>[0]).arrayBuffer()).equals(bytes),
    ).toBe(true)
    expect(headers).toEqual(respond(bytes.toString(), { ifNoneMatch: null }).headers)
  }
})
