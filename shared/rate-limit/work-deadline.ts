import { type Call, type Deadline, deadlineExceeded } from '../call.ts'
import type { Clock } from '../clock.ts'

/** A deadline that stands still while its work waits for the rate limiter: that wait is nobody's fault. */
export type WorkDeadline = Deadline & {
  suspend: <T>(wait: () => Promise<T>) => Promise<T>
  /** Call it when the work is done, or its timer holds the process. */
  end: () => void
}

/** Starts a deadline of `seconds` of work. It also ends when `call` does, however much is left. */
export function startWorkDeadline(clock: Clock, seconds: number, call: Call): WorkDeadline {
  const controller = new AbortController()
  let leftMs = seconds * 1000
  let waiting = 0
  let runsSince = clock.now()
  let timer = new AbortController()

  function run(): void {
    runsSince = clock.now()
    timer = new AbortController()
    clock.sleep(leftMs, timer.signal).then(
      () => controller.abort(deadlineExceeded(seconds)),
      () => undefined,
    )
  }
  function stand(): void {
    timer.abort()
    leftMs = Math.max(0, leftMs - (clock.now() - runsSince))
  }

  run()
  return {
    get at() {
      return waiting > 0 ? clock.now() + leftMs : runsSince + leftMs
    },
    signal: AbortSignal.any([controller.signal, call.deadline.signal]),
    async suspend(wait) {
      if (waiting++ === 0) stand()
      try {
        return await wait()
      } finally {
        if (--waiting === 0) run()
      }
    },
    end: () => timer.abort(),
  }
}

export const isWorkDeadline = (deadline: Deadline): deadline is WorkDeadline => 'suspend' in deadline
