import { type ErrorCode, isAppError } from '../errors.ts'
import type { Clock } from '../runtime/clock.ts'
import type { OperationContext } from '../runtime/operation.ts'
import type { RequestPartnerCenter } from './request.ts'

export type Reachability = {
  reachable: boolean
  /** ISO 8601 UTC. */
  checkedAt: string
  error?: { code: ErrorCode; message: string }
}

const cacheMs = 60_000

/** Whether Partner Center responds to this app. It lists one customer, at most once a minute. */
export function createReachability(
  request: RequestPartnerCenter,
  clock: Clock,
): (operation: OperationContext) => Promise<Reachability> {
  let last: { at: number; result: Reachability } | undefined

  async function check(operation: OperationContext): Promise<Reachability> {
    const checkedAt = new Date(clock.now()).toISOString()
    try {
      await request({ path: '/v1/customers?size=1' }, operation)
      return { reachable: true, checkedAt }
    } catch (error) {
      if (!isAppError(error)) throw error
      return { reachable: false, checkedAt, error: { code: error.code, message: error.message } }
    }
  }

  return async operation => {
    if (last === undefined || clock.now() - last.at >= cacheMs)
      last = { at: clock.now(), result: await check(operation) }
    return last.result
  }
}
