import type { Clock } from '../runtime/clock.ts'
import { type Deadline, deadlineExceeded, type OperationContext, withDeadline } from '../runtime/operation.ts'

/** A deadline that stops while its work waits for the rate limiter, because the work does not cause that wait. */
type WorkDeadline = Deadline & { suspend: <T>(wait: () => Promise<T>) => Promise<T> }

/** Runs work that may take `seconds`, without its waits for the rate limiter. It also ends when `operation` ends. */
export function withWorkDeadline<T>(
  clock: Clock,
  seconds: number,
  { deadline: parent }: OperationContext,
  work: (deadline: WorkDeadline) => Promise<T>,
): Promise<T> {
  const timeIsUp = new AbortController()
  let leftMs = seconds * 1000
  let waiting = 0
  let startedAt = 0
  let cancel: () => void = () => undefined

  function start(): void {
    startedAt = clock.now()
    cancel = clock.after(leftMs, () => timeIsUp.abort(deadlineExceeded(seconds)))
  }
  function pause(): void {
    cancel()
    leftMs = Math.max(0, leftMs - (clock.now() - startedAt))
  }
  const suspend: WorkDeadline['suspend'] = async wait => {
    if (waiting++ === 0) pause()
    try {
      return await wait()
    } finally {
      if (--waiting === 0) start()
    }
  }

  start()
  const signal = AbortSignal.any([timeIsUp.signal, parent.signal])
  const silenceMs = Math.min(parent.silenceMs, (seconds * 1000) / 3)
  // One second after the end of the parent, so that the parent's signal is the one that aborts.
  return withDeadline(clock, { at: parent.at + 1000, silenceMs, signal }, deadline =>
    work({
      ...deadline,
      get at() {
        return Math.min(parent.at, (waiting > 0 ? clock.now() : startedAt) + leftMs)
      },
      suspend,
    }),
  ).finally(() => cancel())
}

export const isWorkDeadline = (deadline: Deadline): deadline is WorkDeadline => 'suspend' in deadline
