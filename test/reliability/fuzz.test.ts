import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RunningApp, startApp } from '../support/running-app.ts'
import { faultOf, fuzz } from './fuzz.ts'

let app: RunningApp

beforeAll(async () => {
  app = await startApp({
    simulator: { customers: 3, ordersEach: 2 },
    settings: { PARTNER_CENTER_REQUESTS_PER_MINUTE: '60000' },
  })
})
afterAll(() => app.stop())

test('2,000 fuzzed requests get responses of the documented form, and no 5xx', async () => {
  const seed = String(Date.now())
  const { faults, outcomes, peakMebibytes = 0 } = await fuzz(app, 2000, seed)
  expect(faults.slice(0, 10), `seed ${seed}`).toEqual([])
  // Some get through, and the others are refused for many reasons.
  expect(Object.keys(outcomes)).toEqual(expect.arrayContaining(['200', '400 invalid_request', '404 route_not_found']))
  expect(peakMebibytes).toBeLessThan(512)
})

describe('the judge of responses', () => {
  const problem = {
    type: 'urn:x',
    title: 'The request is not valid',
    status: 400,
    detail: 'Fix it.',
    instance: '/api/x',
    error: { code: 'invalid_request', message: 'Fix it.' },
    correlationId: 'a',
    retryable: false,
  }
  const headers = { 'content-type': 'application/json', 'x-correlation-id': 'a', 'cache-control': 'private, no-store' }
  const judge = (status: number, changes: object, more: Record<string, string> = {}) =>
    faultOf(
      { method: 'GET' },
      { status, headers: { ...headers, ...more }, body: Buffer.from(JSON.stringify({ ...problem, ...changes })) },
    )

  test('accepts the documented form', () => expect(judge(400, {})).toBeUndefined())

  test.each<[string, number, object, Record<string, string>]>([
    ['a bug', 500, { status: 500, error: { code: 'internal_error', message: 'Fix it.' } }, {}],
    ['a code of another status', 404, { status: 404 }, {}],
    ['a text that is missing', 400, { title: '' }, {}],
    ['another id in the header', 400, {}, { 'x-correlation-id': 'b' }],
    ['a wait for what does not pass', 400, {}, { 'retry-after': '1' }],
    ['another content type', 400, {}, { 'content-type': 'text/html' }],
    ['an error that may be cached', 400, {}, { 'cache-control': 'private, no-cache' }],
  ])('finds %s', (_, status, changes, more) => expect(judge(status, changes, more)).toBeDefined())

  test('finds an empty response that is not the platform’s', () => {
    expect(faultOf({ method: 'GET' }, { status: 500, headers: {}, body: Buffer.alloc(0) })).toBeDefined()
    expect(faultOf({ method: 'GET' }, { status: 401, headers: {}, body: Buffer.alloc(0) })).toBeUndefined()
  })
})
