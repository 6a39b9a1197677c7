import type { Clock } from '../../shared/runtime/clock.ts'
import { systemClock } from '../../shared/runtime/clock.ts'
import type { LogLevel } from '../../shared/runtime/log.ts'
import type { OperationContext } from '../../shared/runtime/operation.ts'

export type LoggedEvent = { level: LogLevel; event: string; fields: Record<string, unknown> | undefined }

export type TestOperation = OperationContext & { logged: LoggedEvent[]; abort: (reason: Error) => void }

/** An operation with `seconds` left. A test can end its deadline with `abort`. */
export function createOperation({
  seconds = 100,
  clock = systemClock as Clock,
  correlationId = 'test',
} = {}): TestOperation {
  const controller = new AbortController()
  const logged: LoggedEvent[] = []
  return {
    correlationId,
    deadline: { at: clock.now() + seconds * 1000, signal: controller.signal, silenceMs: (seconds * 1000) / 3 },
    log: (level, event, fields) => logged.push({ level, event, fields }),
    logged,
    abort: reason => controller.abort(reason),
  }
}
