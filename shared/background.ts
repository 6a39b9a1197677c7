import { randomUUID } from 'node:crypto'
import type { InvocationContext } from '@azure/functions'
import { type App, getApp } from './app.ts'
import { type Call, timeLimit, withDeadline } from './call.ts'
import { createLog } from './log.ts'

/** Runs the work of a timer or queue function under a deadline and a correlation id of its own. */
export async function inBackground<T>(
  context: InvocationContext,
  seconds: number,
  work: (app: App, call: Call) => Promise<T>,
): Promise<T> {
  const app = getApp()
  const correlationId = randomUUID()
  const log = createLog(context, { function: context.functionName, correlationId })
  return withDeadline(app.clock, timeLimit(app.clock, seconds), deadline => work(app, { correlationId, deadline, log }))
}
