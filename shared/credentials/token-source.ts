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
/** A token that expires within this time is not sent any more. */
const minValidityMs = 30 * 1000
/** After a failed replacement of a valid token, the time until the next try. */
const retryAfterMs = 30 * 1000
/** How long a caller waits for a new token while the current one is still valid. */
const maxWaitSeconds = 10

/**
 * One access token per worker. One call at a time replaces it. `get` depends on the current token:
 *
 * | Current token | Result |
 * |---|---|
 * | none, or expires within 30 seconds | waits for a new token, and rejects if there is none |
 * | expires within 5 minutes | waits up to 10 seconds for a new token, else returns the current one |
 * | expires within 5 minutes, and the last replacement failed within 30 seconds | returns the current one |
 * | expires later | returns the current one |
 */
export function createTokenSource({ acquire, clock, share }: Options): TokenSource {
  let current: AccessToken | undefined
  let noReplacementBefore = 0

  const replace = (operation: OperationContext): Promise<AccessToken> =>
    share('token', operation, async operation => {
      current = await acquire(operation)
      return current
    })

  async function replaceAhead(valid: AccessToken, operation: OperationContext): Promise<AccessToken> {
    try {
      return await withDeadline(clock, timeLimit(clock, maxWaitSeconds, operation.deadline), deadline =>
        replace({ ...operation, deadline }),
      )
    } catch (error) {
      noReplacementBefore = clock.now() + retryAfterMs
      operation.log('warn', 'token_refresh_failed', {
        why: describeError(error),
        code: isAppError(error) ? error.code : undefined,
      })
      return valid
    }
  }

  return {
    async get(operation) {
      const left = current === undefined ? 0 : current.expiresAt - clock.now()
      if (current === undefined || left <= minValidityMs) return (await replace(operation)).token
      if (left > refreshAheadMs || clock.now() < noReplacementBefore) return current.token
      return (await replaceAhead(current, operation)).token
    },
    async renew(rejected, operation) {
      if (current !== undefined && current.token !== rejected) return current.token
      return (await replace(operation)).token
    },
  }
}
