import { describe, expect, test } from 'vitest'
import { AppError } from '../../../shared/errors.ts'
import { createRequest, type RequestOptions } from '../../../shared/partner-center/request.ts'
import {
  TransportError,
  type TransportRequest,
  type TransportResponse,
} from '../../../shared/partner-center/transport.ts'
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts'
import { createOperation, type TestOperation } from '../../support/operations.ts'

const guid = '6f9619ff-8b86-d011-b42d-00c04fc964ff'
const anyGuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)

type Step = Error | { status: number; headers?: Record<string, string>; code?: string; onSent?: () => void }

const toResponse = ({ status, headers = {}, code }: Exclude<Step, Error>): TransportResponse => ({
  status,
  headers,
  body: Buffer.from(code === undefined ? '' : JSON.stringify({ code, description: 'refused' })),
})

type Scene = {
  sent: TransportRequest[]
  renewals: string[]
  clock: FakeClock
  operation: TestOperation
  run: () => Promise<unknown>
}

/** A request with a transport that follows a script, and tokens named one, two, three. */
function scene(
  steps: Step[],
  options: Partial<RequestOptions> & { correlationId?: string; renew?: () => never } = {},
): Scene {
  const { correlationId = guid, renew, ...more } = options
  const clock = createFakeClock({ jumps: true })
  const operation = createOperation({ clock, correlationId })
  const sent: TransportRequest[] = []
  const renewals: string[] = []
  const request = createRequest({
    transport: async request => {
      sent.push(request)
      const step = steps[sent.length - 1]
      if (step === undefined) throw new Error('One try too many')
      if (step instanceof Error) throw step
      step.onSent?.()
      return toResponse(step)
    },
    tokens: {
      get: async () => 'one',
      renew: async rejected => {
        renewals.push(rejected)
        renew?.()
        return renewals.length === 1 ? 'two' : 'three'
      },
    },
    baseUrl: 'https://api.example.com/gateway',
    clock,
    ...more,
  })
  const run = () =>
    request({ path: '/v1/customers?size=5', headers: { 'ms-continuationtoken': 'next' } }, operation).then(
      ({ status }) => status,
      (error: unknown) => error,
    )
  return { sent, renewals, clock, operation, run }
}

const tokensOf = ({ sent }: Scene) => sent.map(({ headers }) => headers.authorization)
const network = new TransportError('network', 'reset')
const failed = (code: string, more = {}) => expect.objectContaining({ code, ...more })

describe('a request', () => {
  test('a request carries the documented headers, those of the link and the token', async () => {
    const it = scene([{ status: 200 }], { extraHeaders: { validatemfa: 'true' } })

    expect(await it.run()).toBe(200)
    expect(it.sent).toEqual([
      {
        method: 'GET',
        url: new URL('https://api.example.com/gateway/v1/customers?size=5'),
        headers: {
          accept: 'application/json',
          authorization: 'Bearer one',
          'ms-requestid': anyGuid,
          'ms-correlationid': guid,
          'ms-continuationtoken': 'next',
          'x-locale': 'en-US',
          'ms-partnercenter-application': 'partner-center-orders',
          validatemfa: 'true',
        },
        deadline: it.operation.deadline,
      },
    ])
  })

  test.each(['test', `${guid}0`, '08585287554177334956853859655CU05', '00-6f9619ff'])(
    'a request of the caller %s has a new correlation id upstream',
    async correlationId => {
      const it = scene([{ status: 503 }, { status: 200 }], { correlationId })
      await it.run()
      const ids = it.sent.map(({ headers }) => headers['ms-correlationid'])
      expect(ids).toEqual([anyGuid, anyGuid])
      expect(new Set(ids).size).toBe(1)
    },
  )

  test('a request keeps its request id over all its tries and shares it with no other', async () => {
    const it = scene([{ status: 503 }, network, { status: 401 }, { status: 200 }, { status: 200 }])
    await it.run()
    await it.run()

    const ids = it.sent.map(({ headers }) => headers['ms-requestid'])
    expect(ids).toEqual(Array(5).fill(anyGuid))
    expect(new Set(ids.slice(0, 4)).size).toBe(1)
    expect(new Set(ids).size).toBe(2)
  })

  test.each([408, 429, 500, 502, 503, 504])('a request is retried after a %i', async status => {
    const it = scene([{ status }, { status }, { status }, { status: 200 }])
    expect(await it.run()).toBe(200)
    expect(it.clock.slept).toEqual([250, 500, 1000])
  })

  test.each([300, 304, 400, 403, 404, 409, 417, 501, 505])('a request is not retried after a %i', async status => {
    const it = scene([{ status }])
    expect(await it.run()).toBeInstanceOf(AppError)
    expect(it.sent).toHaveLength(1)
  })

  test('a request succeeds with every status from 200 to 299', async () => {
    for (const status of [200, 204, 299]) expect(await scene([{ status }]).run()).toBe(status)
  })

  test('a request waits exactly as long as Retry-After says, in seconds or until a date', async () => {
    const date = new Date(createFakeClock().now() + 9000).toUTCString()
    const it = scene([
      { status: 429, headers: { 'retry-after': '7' } },
      { status: 503, headers: { 'retry-after': date } },
      { status: 429, headers: { 'retry-after': 'soon' } },
      { status: 200 },
    ])
    expect(await it.run()).toBe(200)
    expect(it.clock.slept).toEqual([7000, 2000, 1000])
  })

  test('a request with a wait past its deadline fails with that wait', async () => {
    const it = scene([{ status: 429, headers: { 'retry-after': '100' } }])
    expect(await it.run()).toEqual(
      failed('partner_center_throttled', { options: expect.objectContaining({ retryAfterSeconds: 100 }) }),
    )
    expect(it.clock.slept).toEqual([])
  })

  test('a request fails with its last failure after four tries', async () => {
    const it = scene([network, { status: 429 }, { status: 500 }, { status: 503 }])
    expect(await it.run()).toEqual(failed('partner_center_unavailable'))
    expect(it.sent).toHaveLength(4)
  })
})

describe('a refused token', () => {
  test('a refused token is renewed at once, and the request repeated with the new one', async () => {
    const it = scene([{ status: 401 }, { status: 200 }])
    expect(await it.run()).toBe(200)
    expect(it.renewals).toEqual(['one'])
    expect(tokensOf(it)).toEqual(['Bearer one', 'Bearer two'])
    expect(it.clock.slept).toEqual([])
  })

  test('a refused token is renewed once a call, and a second refusal is returned', async () => {
    const it = scene([{ status: 401 }, { status: 401, code: '900420' }])
    expect(await it.run()).toEqual(failed('wrong_audience'))
    expect(it.renewals).toEqual(['one'])
  })

  test('a refused token is renewed once a call over its tries, too', async () => {
    const it = scene([{ status: 401 }, { status: 503 }, { status: 401 }])
    expect(await it.run()).toEqual(failed('credential_rejected'))
    expect(tokensOf(it)).toEqual(['Bearer one', 'Bearer two', 'Bearer two'])
    expect(it.renewals).toEqual(['one'])
  })

  test('a refused token is renewed in a later try, and again in a later call', async () => {
    const it = scene([{ status: 503 }, { status: 401 }, { status: 200 }, { status: 401 }, { status: 200 }])
    expect(await it.run()).toBe(200)
    expect(await it.run()).toBe(200)
    expect(it.renewals).toEqual(['one', 'one'])
    expect(tokensOf(it)).toEqual(['one', 'one', 'two', 'one', 'three'].map(token => `Bearer ${token}`))
  })

  test('a refused token that cannot be renewed fails with the reason, without another try', async () => {
    const reason = new AppError('key_vault_refused', 'no secret')
    const it = scene([{ status: 401 }], {
      renew: () => {
        throw reason
      },
    })
    expect(await it.run()).toBe(reason)
    expect(it.sent).toHaveLength(1)
  })

  test('a refused token whose repeat meets a network fault is tried again with the new one', async () => {
    const it = scene([{ status: 401 }, network, { status: 200 }])
    expect(await it.run()).toBe(200)
    expect(tokensOf(it)).toEqual(['Bearer one', 'Bearer two', 'Bearer two'])
  })
})

describe('a fault below HTTP', () => {
  test('a network fault is retried and ends as unavailable', async () => {
    const again = scene([network, { status: 200 }])
    expect(await again.run()).toBe(200)
    expect(again.clock.slept).toEqual([250])

    const never = scene([network, network, network, network])
    expect(await never.run()).toEqual(
      failed('partner_center_unavailable', {
        cause: network,
        options: expect.objectContaining({ retryAfterSeconds: 30 }),
      }),
    )
  })

  test.each(['too-large', 'undecodable'] as const)(
    'a fault below HTTP: %s is an invalid response, at once',
    async kind => {
      const fault = new TransportError(kind, 'of no use')
      const it = scene([fault])
      expect(await it.run()).toEqual(failed('partner_center_invalid_response', { cause: fault }))
      expect(it.sent).toHaveLength(1)
    },
  )

  test('the end of the deadline is passed on unchanged', async () => {
    const late = new AppError('deadline_exceeded', 'late')
    expect(await scene([late]).run()).toBe(late)
    const bug = new TypeError('a bug')
    expect(await scene([bug]).run()).toBe(bug)
  })
})

test('the rate limiter is called before every try, including one with a new token', async () => {
  const order: string[] = []
  const onSent = () => order.push('sent')
  const it = scene(
    [
      { status: 503, onSent },
      { status: 401, onSent },
      { status: 200, onSent },
    ],
    {
      pace: async operation => void order.push(operation === it.operation ? 'paced' : 'stranger'),
    },
  )
  await it.run()
  expect(order).toEqual(['paced', 'sent', 'paced', 'sent', 'paced', 'sent'])
})

test('the headers of every response are passed on, including those of an error', async () => {
  const seen: unknown[] = []
  const onResponse: RequestOptions['onResponse'] = headers => seen.push(headers)
  await scene(
    [
      { status: 503, headers: { a: '1' } },
      { status: 200, headers: { a: '2' } },
    ],
    { onResponse },
  ).run()
  await scene([{ status: 404, headers: { a: '3' } }], { onResponse }).run()
  expect(seen).toEqual([{ a: '1' }, { a: '2' }, { a: '3' }])
})

test('the requested resource decides what a 404 means', async () => {
  const clock = createFakeClock()
  const request = createRequest({
    transport: async () => toResponse({ status: 404, code: '20000' }),
    tokens: { get: async () => 'one', renew: async () => 'two' },
    baseUrl: 'https://api.example.com',
    clock,
  })
  const ask = (resource?: 'order') =>
    request({ path: '/v1/x', ...(resource ? { resource } : {}) }, createOperation({ clock }))
  await expect(ask('order')).rejects.toEqual(failed('order_not_found'))
  await expect(ask()).rejects.toEqual(failed('partner_center_invalid_response'))
})
