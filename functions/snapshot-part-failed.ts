import { app, type InvocationContext } from '@azure/functions'
import { inBackground } from '../shared/background.ts'

const deadlineSeconds = 20 * 60

/** Takes what failed five times: its customers are recorded as failed, so that the run ends and says so. */
export const snapshotPartFailed = (message: unknown, context: InvocationContext): Promise<void> =>
  inBackground(context, deadlineSeconds, async (app, operation) => {
    const { giveUp } = await app.snapshots()
    await giveUp(message, operation)
  })

app.storageQueue('snapshot-part-failed', {
  queueName: 'snapshot-parts-poison',
  connection: 'AzureWebJobsStorage',
  handler: snapshotPartFailed,
})
