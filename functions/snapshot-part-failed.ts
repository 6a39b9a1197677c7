import { app, type InvocationContext } from '@azure/functions'
import { inBackground } from '../shared/background.ts'
import { poisonQueueName } from '../shared/snapshots/storage/queue-names.ts'

const deadlineSeconds = 20 * 60

/** Handles a message that failed five times. It records the customers of the part as failed, so that the run ends. */
export const snapshotPartFailed = (message: unknown, context: InvocationContext): Promise<void> =>
  inBackground(context, deadlineSeconds, async (app, operation) => {
    const { giveUp } = await app.snapshots()
    await giveUp(message, operation)
  })

app.storageQueue('snapshot-part-failed', {
  queueName: poisonQueueName,
  connection: 'AzureWebJobsStorage',
  handler: snapshotPartFailed,
})
