import { app, type InvocationContext, type Timer } from '@azure/functions'
import { inBackground } from '../shared/background.ts'
import { snapshotSchedule } from '../shared/settings.ts'

/** Ending an overdue run of many parts can take a few minutes. */
const deadlineSeconds = 20 * 60

/** Daily: starts a snapshot of all customers' orders, unless one is going on. Duplicate ticks start one run. */
export const snapshotOrders = (_timer: Timer, context: InvocationContext): Promise<void> =>
  inBackground(context, deadlineSeconds, async (app, call) => {
    const { start } = await app.snapshots()
    const { snapshotId, started } = await start('timer', undefined, call)
    if (!started) call.log('warn', 'snapshot_skipped', { running: snapshotId })
  })

app.timer('snapshot-orders', { schedule: snapshotSchedule(), handler: snapshotOrders })
