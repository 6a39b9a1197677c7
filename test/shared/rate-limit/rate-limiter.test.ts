import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRequest } from '../../../shared/partner-center/request.ts'
import { createRateLimiter, type RateLimiter } from '../../../shared/rate-limit/rate-limiter.ts'
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts'
import { createMemoryStore } from '../../support/memory-store.ts'
import { createOperation } from '../../support/operations.ts'

type Scene = {
  requestsPerMinute: number
  workers: number
  concurrency: number
  callsEach: number
  /** Milliseconds that a request takes, by its number. */
  latency: (request: number) => number
}

/** The most requests in any 60 seconds. */
function worstMinute(sentAt: readonly number[]): number {
  const sorted = [...sentAt].sort((a, b) => a - b)
  let worst = 0
  for (let from = 0, to = 0; to < sorted.length; to++) {
    while ((sorted[to] ?? 0) - (sorted[from] ?? 0) >= 60_000) from++
    worst = Math.max(worst, to - from + 1)
  }
  return worst
}

/** Runs workers in parallel in fake time, and returns when each request was sent. */
async function send(
  { requestsPerMinute, workers, concurrency, callsEach, latency }: Scene,
  clock: FakeClock,
): Promise<number[]> {
  const store = createMemoryStore()
  const sentAt: number[] = []
  const lane = async (limiter: RateLimiter, left: { calls: number }) => {
    while (left.calls-- > 0) {
      await limiter.take(createOperation({ clock }))
      sentAt.push(clock.now())
      await clock.sleep(latency(sentAt.length))
    }
  }
  const work = Array.from({ length: workers }, () => {
    const limiter = createRateLimiter({ store, blob: 'pace.json', clock, requestsPerMinute, concurrency })
    const left = { calls: callsEach }
    return Promise.all(Array.from({ length: concurrency }, () => lane(limiter, left)))
  })
  await clock.drive(Promise.all(work))
  return sentAt
}

describe('the rate limiter', () => {
  test('the rate limiter enforces every sliding minute, for any number of workers, whatever hangs', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 30, max: 600 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.constantFrom(20, 200, 1500, 5000, 61_000), { minLength: 1, maxLength: 5 }),
        async (requestsPerMinute, workers, concurrency, latencies) => {
          const clock = createFakeClock()
          const callsEach = Math.ceil((requestsPerMinute * 2.2) / workers)
          const sentAt = await send(
            {
              requestsPerMinute,
              workers,
              concurrency,
              callsEach,
              latency: at => latencies[at % latencies.length] ?? 0,
            },
            clock,
          )
          expect(sentAt).toHaveLength(callsEach * workers)
          expect(worstMinute(sentAt)).toBeLessThanOrEqual(Math.ceil(requestsPerMinute * 1.05) + 1)
        },
      ),
      { numRuns: 60 },
    )
  })

  test.each([
    [1, 5, 300],
    [4, 5, 300],
    [40, 5, 2000],
  ])(
    'the rate limiter allows the full rate for %i workers with %i lanes at %i ms a request',
    async (workers, concurrency, milliseconds) => {
      const clock = createFakeClock()
      const startedAt = clock.now()
      const total = 900
      const sentAt = await send(
        {
          requestsPerMinute: 450,
          workers,
          concurrency,
          callsEach: Math.ceil(total / workers),
          latency: () => milliseconds,
        },
        clock,
      )
      const ideal = (sentAt.length / 450) * 60_000
      expect(Math.max(...sentAt) - startedAt).toBeLessThan(ideal * 1.1)
    },
  )

  test('the rate limiter saves no slots: after a pause, requests keep their distance', async () => {
    const clock = createFakeClock()
    const store = createMemoryStore()
    const limiter = createRateLimiter({ store, blob: 'pace.json', clock, requestsPerMinute: 60, concurrency: 1 })
    const sentAt: number[] = []
    const work = async () => {
      for (let operation = 0; operation < 6; operation++) {
        if (operation === 3) await clock.sleep(600_000)
        await limiter.take(createOperation({ clock }))
        sentAt.push(clock.now())
      }
    }
    await clock.drive(work())
    expect(
      sentAt
        .slice(3)
        .map((at, index) => at - (sentAt[3 + index - 1] ?? 0))
        .slice(1),
    ).toEqual([1000, 1000])
  })

  test('the rate limiter enforces the rate if sign-in hangs for all workers, because the token comes before the slot', async () => {
    const clock = createFakeClock()
    const store = createMemoryStore()
    const sentAt: number[] = []
    const hangsUntil = clock.now() + 50_000
    const work = Array.from({ length: 40 }, async () => {
      const limiter = createRateLimiter({ store, blob: 'pace.json', clock, requestsPerMinute: 450, concurrency: 5 })
      const request = createRequest({
        tokens: {
          get: async () => {
            if (clock.now() < hangsUntil) await clock.sleep(hangsUntil - clock.now())
            return 'token'
          },
          renew: async () => 'token',
        },
        transport: async () => {
          sentAt.push(clock.now())
          return { status: 200, headers: {}, body: Buffer.from('{}') }
        },
        baseUrl: 'https://upstream.example',
        clock,
        pace: limiter.take,
      })
      const operation = createOperation({ clock, seconds: 3600 })
      const lane = async () => {
        for (let times = 0; times < 5; times++) await request({ path: '/v1/customers' }, operation)
      }
      await Promise.all(Array.from({ length: 5 }, lane))
    })
    await clock.drive(Promise.all(work))
    expect(sentAt).toHaveLength(1000)
    expect(worstMinute(sentAt)).toBeLessThanOrEqual(450 * 1.05)
  })

  test('a failed reservation fails only its own caller, not the waiting ones', async () => {
    const clock = createFakeClock()
    const store = createMemoryStore()
    let failures = 1
    store.before = operation => {
      if (operation === 'write' && failures-- > 0) throw new Error('The part has ended')
    }
    const limiter = createRateLimiter({ store, blob: 'pace.json', clock, requestsPerMinute: 60, concurrency: 2 })
    const takes = [1, 2].map(() => limiter.take(createOperation({ clock })))
    const settled = await clock.drive(Promise.allSettled(takes))
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
  })

  test('the rate limiter works with a damaged pace.json', async () => {
    const clock = createFakeClock()
    const store = createMemoryStore()
    await store.write('pace.json', 'garbage')
    const limiter = createRateLimiter({ store, blob: 'pace.json', clock, requestsPerMinute: 60, concurrency: 1 })
    await clock.drive(limiter.take(createOperation({ clock })))
    expect(JSON.parse(store.blobs.get('pace.json')?.body.toString() ?? '')).toEqual({ next: clock.now() + 1000 })
  })
})
