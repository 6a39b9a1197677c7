import { app, type InvocationContext, type Timer } from '@azure/functions'
import { inBackground } from '../shared/background.ts'
import { snapshotSchedule } from '../shared/settings.ts'

/**
 * Less than the 30 minutes of `functionTimeout` in host.json. While storage is down, the start is retried until then.
 */
const deadlineSeconds = 20 * 60

/**
 * Daily: starts a snapshot of the orders of all customers. If another run is in progress, the start waits for its end.
 */
export const snapshotOrders = (_timer: Timer, context: InvocationContext): Promise<void> =>
  inBackground(context, deadlineSeconds, async (app, operation) => {
    const { startByTimer } = await app.snapshots()
    await startByTimer(operation)
  })

app.timer('snapshot-orders', { schedule: snapshotSchedule(), handler: snapshotOrders })
