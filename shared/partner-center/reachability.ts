import type { Call } from '../call.ts'
import type { Clock } from '../clock.ts'
import { type ErrorCode, isAppError } from '../errors.ts'
import type { RequestPartnerCenter } from './request.ts'

export type Reachability = {
  reachable: boolean
  /** ISO 8601 UTC. */
  checkedAt: string
  error?: { code: ErrorCode; message: string }
}

const cacheMs = 60_000

/** Whether Partner Center answers this app: one customer is listed, at most once a minute. */
export function createReachability(request: RequestPartnerCenter, clock: Clock): (call: Call) => Promise<Reachability> {
  let last: { at: number; result: Reachability } | undefined

  async function check(call: Call): Promise<Reachability> {
    const checkedAt = new Date(clock.now()).toISOString()
    try {
      await request({ path: '/v1/customers?size=1' }, call)
      return { reachable: true, checkedAt }
    } catch (error) {
      if (!isAppError(error)) throw error
      return { reachable: false, checkedAt, error: { code: error.code, message: error.message } }
    }
  }

  return async call => {
    if (last === undefined || clock.now() - last.at >= cacheMs) last = { at: clock.now(), result: await check(call) }
    return last.result
  }
}
