import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLimit, inOrder } from '../../../shared/runtime/in-order.ts'

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await Promise.resolve()
}

describe('work in order', () => {
  test('work in order returns results in the order of the items, and never exceeds its limit', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(9)), fc.integer({ min: 1, max: 5 }), async (delays, ahead) => {
        let underWay = 0
        let most = 0
        const results = inOrder(
          delays.map((delay, at) => ({ delay, at })),
          ahead,
          async ({ delay, at }) => {
            most = Math.max(most, ++underWay)
            await turns(delay)
            underWay--
            return at
          },
        )
        expect(await Array.fromAsync(results)).toEqual(delays.map((_, at) => at))
        expect(most).toBeLessThanOrEqual(ahead)
      }),
    )
  })

  test('work in order ends with the first failure, and later failures are handled', async () => {
    const results = inOrder([1, 2, 3], 3, async item => {
      if (item > 1) throw new Error(`item ${item}`)
      return item
    })
    expect((await results.next()).value).toBe(1)
    await expect(results.next()).rejects.toThrow('item 2')
  })
})

test('a limit runs as many at once as it allows, and the next when one has ended or failed', async () => {
  const limit = createLimit(2)
  let underWay = 0
  let most = 0
  const work = Array.from({ length: 9 }, (_, at) =>
    limit(async () => {
      most = Math.max(most, ++underWay)
      await turns(at % 4)
      underWay--
      if (at === 3) throw new Error('fails')
      return at
    }).catch(() => -1),
  )
  expect(await Promise.all(work)).toEqual([0, 1, 2, -1, 4, 5, 6, 7, 8])
  expect(most).toBe(2)
})
