import { app, type InvocationContext, type Timer } from '@azure/functions'
import { inBackground } from '../shared/background.ts'
import { followSchedule } from '../shared/settings.ts'

/** Below the ten minutes between two looks, and below the time limit of the Consumption plan. */
const deadlineSeconds = 9 * 60

/** Every ten minutes: tells the orders that Partner Center's activity log has news of. */
export const followOrders = (_timer: Timer, context: InvocationContext): Promise<void> =>
  inBackground(context, deadlineSeconds, async (app, operation) => {
    const { follow } = await app.snapshots()
    await follow(operation)
  })

const schedule = followSchedule()

if (schedule !== undefined) app.timer('follow-orders', { schedule, handler: followOrders })
