import { afterEach, describe, expect, test, vi } from 'vitest'
import type { AccessToken } from '../../../shared/credentials/authority.ts'
import { createTokenSource } from '../../../shared/credentials/token-source.ts'
import { AppError } from '../../../shared/errors.ts'
import type { OperationContext } from '../../../shared/runtime/operation.ts'
import { createShareCall } from '../../../shared/runtime/shared-calls.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { createOperation } from '../../support/operations.ts'

const hour = 3_600_000
const minute = 60_000

afterEach(() => {
  vi.restoreAllMocks()
})

/** A source whose tokens are numbered and live for an hour, unless the next responses are scripted. */
function source() {
  const clock = createFakeClock()
  const script: (Error | Promise<AccessToken>)[] = []
  const asked: OperationContext[] = []
  const acquire = async (operation: OperationContext): Promise<AccessToken> => {
    asked.push(operation)
    const number = asked.length
    const next = script.shift()
    if (next instanceof Error) throw next
    return next ?? { token: `token ${number}`, expiresAt: clock.now() + hour }
  }
  const tokens = createTokenSource({ acquire, clock, share: createShareCall(clock) })
  return { tokens, clock, script, asked, get: (operation = createOperation({ clock })) => tokens.get(operation) }
}

const down = new AppError('authority_unavailable', 'down')

describe('a token', () => {
  test('a token is acquired once and then kept', async () => {
    const { get, asked, clock } = source()
    expect(await get()).toBe('token 1')
    await clock.advance(54 * minute)
    expect(await get()).toBe('token 1')
    expect(asked).toHaveLength(1)
  })

  test('a token is acquired once for simultaneous callers', async () => {
    const { get, asked } = source()
    expect(await Promise.all([get(), get(), get()])).toEqual(['token 1', 'token 1', 'token 1'])
    expect(asked).toHaveLength(1)
  })

  test('a failed token request is repeated for the next caller', async () => {
    const { get, script } = source()
    script.push(down)
    await expect(get()).rejects.toBe(down)
    expect(await get()).toBe('token 2')
  })

  test('a token is replaced five minutes before it expires, not earlier', async () => {
    const { get, clock } = source()
    await get()
    await clock.advance(hour - 5 * minute - 1)
    expect(await get()).toBe('token 1')
    await clock.advance(1)
    expect(await Promise.all([get(), get()])).toEqual(['token 2', 'token 2'])
    expect(await get()).toBe('token 2')
  })

  test('a short-lived token is replaced with each call, and used until it expires', async () => {
    const { get, script, clock } = source()
    for (const token of ['short 1', 'short 2']) {
      script.push(Promise.resolve({ token, expiresAt: clock.now() + 2 * minute }))
    }
    expect(await get()).toBe('short 1')
    expect(await get()).toBe('short 2')
  })
})

describe('a failed replacement', () => {
  const nearItsEnd = async () => {
    const made = source()
    await made.get()
    await made.clock.advance(hour - 4 * minute)
    return made
  }

  test('a failed replacement keeps the current token in use and is logged', async () => {
    const { get, script, clock } = await nearItsEnd()
    script.push(down)
    const operation = createOperation({ clock })
    expect(await get(operation)).toBe('token 1')
    expect(operation.logged).toEqual([
      {
        level: 'warn',
        event: 'token_refresh_failed',
        fields: { why: 'AppError: down', code: 'authority_unavailable' },
      },
    ])
  })

  test('a failed replacement is retried after half a minute, not sooner', async () => {
    const { get, script, asked, clock } = await nearItsEnd()
    script.push(down)
    await get()
    await clock.advance(29_999)
    expect(await get()).toBe('token 1')
    expect(asked).toHaveLength(2)
    await clock.advance(1)
    expect(await get()).toBe('token 3')
  })

  test('a failed replacement fails the call if the current token expires within half a minute', async () => {
    const { get, script, clock } = await nearItsEnd()
    await clock.advance(4 * minute - 30_001)
    script.push(down)
    expect(await get()).toBe('token 1')
    await clock.advance(1)
    script.push(down)
    await expect(get()).rejects.toBe(down)
    expect(await get()).toBe('token 4')
  })

  test('a replacement that outlasts the caller’s deadline counts as failed', async () => {
    const { get, script, clock } = await nearItsEnd()
    script.push(new Promise(() => undefined))
    const operation = createOperation({ clock })
    const token = get(operation)
    await clock.advance(0)
    operation.abort(new Error('the deadline has passed'))
    expect(await token).toBe('token 1')
  })

  test('a replacement that takes longer than ten seconds counts as failed', async () => {
    const { get, script, asked, clock } = await nearItsEnd()
    script.push(new Promise(() => undefined))
    const token = get()
    await clock.advance(0)
    expect((asked[1]?.deadline.at ?? 0) - clock.now()).toBe(10_000)
    await clock.advance(10_000)
    expect(await token).toBe('token 1')
    expect(asked[1]?.deadline.signal.aborted).toBe(true)
  })

  test('a caller with less than ten seconds does not wait longer for a replacement', async () => {
    const { get, script, asked, clock } = await nearItsEnd()
    script.push(down)
    await get(createOperation({ clock, seconds: 3 }))
    expect((asked[1]?.deadline.at ?? 0) - clock.now()).toBeLessThanOrEqual(3000)
  })
})

describe('a rejected token', () => {
  test('a rejected token is replaced if it is the current one', async () => {
    const { tokens, get } = source()
    const operation = createOperation()
    expect(await tokens.renew(await get(), operation)).toBe('token 2')
    expect(await get()).toBe('token 2')
  })

  test('a rejected token is not replaced if another one has been acquired since', async () => {
    const { tokens, get, asked } = source()
    await get()
    const operation = createOperation()
    expect(await tokens.renew('token 0', operation)).toBe('token 1')
    expect(asked).toHaveLength(1)
  })

  test('a rejected token is replaced once for all its callers', async () => {
    const { tokens, get, asked } = source()
    const rejected = await get()
    const renewals = [1, 2, 3].map(() => tokens.renew(rejected, createOperation()))
    expect(await Promise.all(renewals)).toEqual(['token 2', 'token 2', 'token 2'])
    expect(await tokens.renew(rejected, createOperation())).toBe('token 2')
    expect(asked).toHaveLength(2)
  })

  test('a rejected token is replaced even right after a failed replacement', async () => {
    const { tokens, get, script, clock } = source()
    await get()
    await clock.advance(hour - 4 * minute)
    script.push(down)
    await get()
    expect(await tokens.renew('token 1', createOperation({ clock }))).toBe('token 3')
  })

  test('a rejected token that cannot be replaced fails the call', async () => {
    const { tokens, get, script } = source()
    const rejected = await get()
    script.push(down)
    await expect(tokens.renew(rejected, createOperation())).rejects.toBe(down)
    expect(await tokens.renew(rejected, createOperation())).toBe('token 3')
  })

  test('a token is acquired after a rejection even if there was none', async () => {
    expect(await source().tokens.renew('unknown', createOperation())).toBe('token 1')
  })
})
