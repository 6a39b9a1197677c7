import { app, type InvocationContext, type Timer } from '@azure/functions'
import { inBackground } from '../shared/background.ts'
import { snapshotSchedule } from '../shared/settings.ts'

/** Below the 30 minutes of `functionTimeout` in host.json: while storage is down, the start is tried again and again. */
const deadlineSeconds = 20 * 60

/** Daily: starts a snapshot of all customers' orders. If another goes on, the start waits for its end. */
export const snapshotOrders = (_timer: Timer, context: InvocationContext): Promise<void> =>
  inBackground(context, deadlineSeconds, async (app, operation) => {
    const { startByTimer } = await app.snapshots()
    await startByTimer(operation)
  })

app.timer('snapshot-orders', { schedule: snapshotSchedule(), handler: snapshotOrders })
