import { randomUUID } from 'node:crypto'
import type { InvocationContext } from '@azure/functions'
import { type App, getApp } from './app.ts'
import { createLog } from './runtime/log.ts'
import { type OperationContext, timeLimit, withDeadline } from './runtime/operation.ts'

/** Runs the work of a timer or queue function with its own deadline and correlation id. */
export async function inBackground<T>(
  context: InvocationContext,
  seconds: number,
  work: (app: App, operation: OperationContext) => Promise<T>,
): Promise<T> {
  const app = getApp()
  const correlationId = randomUUID()
  const log = createLog(context, { function: context.functionName, correlationId })
  return withDeadline(app.clock, timeLimit(app.clock, seconds), deadline => work(app, { correlationId, deadline, log }))
}
