import { isAppError } from '../errors.ts'
import type { TokenSource } from '../partner-center/request.ts'
import type { Clock } from '../runtime/clock.ts'
import { describeError } from '../runtime/log.ts'
import { type OperationContext, timeLimit, withDeadline } from '../runtime/operation.ts'
import type { ShareCall } from '../runtime/shared-calls.ts'
import type { AccessToken } from './authority.ts'

type Options = {
  /** Gets a new access token from the authority. */
  acquire: (operation: OperationContext) => Promise<AccessToken>
  clock: Clock
  share: ShareCall
}

/** A token that expires within this time is replaced. The official bulk tool uses the same margin. */
const refreshAheadMs = 5 * 60 * 1000
/** A token that expires within this time is no longer sent. */
const usableMs = 30 * 1000
/** If the replacement of a valid token fails, the next try comes after this long. */
const calmMs = 30 * 1000
/** How long a caller waits for a replacement while the current token is still valid. */
const patienceSeconds = 10

/**
 * One access token per worker. One call at a time replaces it before it expires. If a replacement fails, the current
 * token stays in use until it expires.
 */
export function createTokenSource({ acquire, clock, share }: Options): TokenSource {
  let current: AccessToken | undefined
  let calmUntil = 0

  const replace = (operation: OperationContext): Promise<AccessToken> =>
    share('token', operation, async operation => {
      current = await acquire(operation)
      return current
    })

  async function replaceAhead(present: AccessToken, operation: OperationContext): Promise<AccessToken> {
    try {
      return await withDeadline(clock, timeLimit(clock, patienceSeconds, operation.deadline), deadline =>
        replace({ ...operation, deadline }),
      )
    } catch (error) {
      calmUntil = clock.now() + calmMs
      operation.log('warn', 'token_refresh_failed', {
        why: describeError(error),
        code: isAppError(error) ? error.code : undefined,
      })
      return present
    }
  }

  return {
    async get(operation) {
      const left = current === undefined ? 0 : current.expiresAt - clock.now()
      if (current === undefined || left <= usableMs) return (await replace(operation)).token
      if (left > refreshAheadMs || clock.now() < calmUntil) return current.token
      return (await replaceAhead(current, operation)).token
    },
    async renew(rejected, operation) {
      if (current !== undefined && current.token !== rejected) return current.token
      return (await replace(operation)).token
    },
  }
}
