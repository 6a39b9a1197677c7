import { type Plan, plannedIn } from '../storage/plan-blob.ts'
import type { Current, Failure } from '../storage/shapes.ts'

/** When the parts of a run are due, and when the run is overdue, in milliseconds since 1970 UTC. */
export type RunTimes = {
  overdueAt: (run: Pick<Current, 'startedAt'>, plan: Pick<Plan, 'parts'> | undefined) => number
  /** When the reading of each part is due, so that all parts together stay below the rate limit. */
  dueTimes: (plan: Plan) => number[]
}

type Options = { overdueMinutes: number | undefined; requestsPerMinute: number }

/** A run is overdue after three times its ideal duration at the rate limit, but not before one hour. */
const overdueFactor = 3
const leastOverdueMinutes = 60

/** Parts become visible this long before they are due, so that a worker has them in time. */
const leadMs = 10_000

export function createRunTimes({ overdueMinutes, requestsPerMinute }: Options): RunTimes {
  return {
    overdueAt({ startedAt }, plan) {
      const ideal = plannedIn(plan) / requestsPerMinute
      const minutes = overdueMinutes ?? Math.max(leastOverdueMinutes, overdueFactor * ideal)
      return Date.parse(startedAt) + minutes * 60_000
    },
    dueTimes({ startedAt, parts }) {
      let before = 0
      return parts.map(({ customers }) => {
        const due = Date.parse(startedAt) - leadMs + (before / requestsPerMinute) * 60_000
        before += customers
        return due
      })
    },
  }
}

export const overdue: Failure = {
  code: 'snapshot_failed',
  message: 'The run was overdue and has been ended. Its parts took too long or were lost.',
}
