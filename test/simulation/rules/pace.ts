import type { Findings } from '../findings.ts'

const minuteMs = 60_000

type Options = {
  findings: Findings
  requestsPerMinute: number
  /** True times of all requests, in order. */
  requests: readonly number[]
  /** Requests that freezes delayed, with the time at which they continued. */
  thaws: readonly { at: number; requests: number }[]
  /** Times at which `pace.json` was damaged. The app then forgets reservations, which is accepted. */
  losses: readonly number[]
}

/** Checks the number of requests in every sliding minute, by the true clock. */
export function checkPace({ findings, requestsPerMinute, requests, thaws, losses }: Options): void {
  const most = Math.floor(requestsPerMinute * 1.05) + 1
  let [first, worst, at] = [0, 0, 0]
  for (const [last, time] of requests.entries()) {
    while ((requests[first] ?? time) <= time - minuteMs) first++
    if (losses.some(loss => loss > time - minuteMs && loss <= time)) continue
    const late = thaws.filter(thaw => thaw.at > time - minuteMs && thaw.at <= time)
    const count = last - first + 1 - late.reduce((sum, thaw) => sum + thaw.requests, 0)
    if (count > worst) [worst, at] = [count, time]
  }
  if (worst > most) {
    const when = new Date(at).toISOString()
    findings.broken(
      'the pace holds in every minute',
      `${worst} requests at ${requestsPerMinute} in the minute before ${when}`,
    )
  }
}
