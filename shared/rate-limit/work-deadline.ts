import type { Clock } from '../runtime/clock.ts'
import { type Deadline, deadlineExceeded, type OperationContext, withDeadline } from '../runtime/operation.ts'

/** A deadline that stands still while its work waits for the rate limiter: nobody can help that wait. */
export type WorkDeadline = Deadline & { suspend: <T>(wait: () => Promise<T>) => Promise<T> }

/** Runs work that may take `seconds`, waits for the rate limiter aside. It also ends when `operation` does. */
export function withWorkDeadline<T>(
  clock: Clock,
  seconds: number,
  { deadline: parent }: OperationContext,
  work: (deadline: WorkDeadline) => Promise<T>,
): Promise<T> {
  const timeIsUp = new AbortController()
  let leftMs = seconds * 1000
  let waiting = 0
  let runsSince = 0
  let cancel: () => void = () => undefined

  function run(): void {
    runsSince = clock.now()
    cancel = clock.after(leftMs, () => timeIsUp.abort(deadlineExceeded(seconds)))
  }
  function stand(): void {
    cancel()
    leftMs = Math.max(0, leftMs - (clock.now() - runsSince))
  }
  const suspend: WorkDeadline['suspend'] = async wait => {
    if (waiting++ === 0) stand()
    try {
      return await wait()
    } finally {
      if (--waiting === 0) run()
    }
  }

  run()
  const signal = AbortSignal.any([timeIsUp.signal, parent.signal])
  const silenceMs = Math.min(parent.silenceMs, (seconds * 1000) / 3)
  // A second later than the parent's own end, so that it is the parent's signal that says so.
  return withDeadline(clock, { at: parent.at + 1000, silenceMs, signal }, deadline =>
    work({
      ...deadline,
      get at() {
        return Math.min(parent.at, (waiting > 0 ? clock.now() : runsSince) + leftMs)
      },
      suspend,
    }),
  ).finally(() => cancel())
}

export const isWorkDeadline = (deadline: Deadline): deadline is WorkDeadline => 'suspend' in deadline
