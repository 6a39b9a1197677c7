import { app, type InvocationContext, type Timer } from '@azure/functions'
import { inBackground } from '../shared/background.ts'
import { followSchedule } from '../shared/settings.ts'

/** Less than the ten minutes between two ticks, and less than the time limit of the Consumption plan. */
const deadlineSeconds = 9 * 60

/** Every ten minutes: reads the activity log of Partner Center, and records the orders that changed. */
export const followOrders = (_timer: Timer, context: InvocationContext): Promise<void> =>
  inBackground(context, deadlineSeconds, async (app, operation) => {
    const { follow } = await app.snapshots()
    await follow(operation)
  })

const schedule = followSchedule()

if (schedule !== undefined) app.timer('follow-orders', { schedule, handler: followOrders })
