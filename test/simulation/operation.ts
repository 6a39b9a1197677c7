import { deadlineExceeded, type OperationContext } from '../../shared/runtime/operation.ts'
import type { Process } from './process.ts'

export type Logged = (process: Process, event: string, fields: Record<string, unknown> | undefined) => void

/** The context of one piece of work of a process. It ends with the work. */
export function createSimulatedOperation(
  process: Process,
  seconds: number,
  logged: Logged,
): { operation: OperationContext; end: () => void } {
  const controller = new AbortController()
  const step = process.after(seconds * 1000, () => controller.abort(deadlineExceeded(seconds)), 0)
  const operation: OperationContext = {
    correlationId: 'simulation',
    deadline: { at: process.clock.now() + seconds * 1000, signal: controller.signal, silenceMs: 30_000 },
    log: (_, event, fields) => logged(process, event, fields),
  }
  return { operation, end: step.cancel }
}
