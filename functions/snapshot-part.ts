import { app, type InvocationContext } from '@azure/functions'
import { inBackground } from '../shared/background.ts'
import { queueName } from '../shared/snapshots/storage/queue-names.ts'

/** Less than the 30 minutes of `functionTimeout` in host.json. A message that takes longer is delivered again. */
const deadlineSeconds = 28 * 60

/** Plans a run, or reads one part of it. If it rejects, the platform delivers the message again, at most five times. */
export const snapshotPart = (message: unknown, context: InvocationContext): Promise<void> =>
  inBackground(context, deadlineSeconds, async (app, operation) => {
    const { handle } = await app.snapshots()
    await handle(message, operation)
  })

app.storageQueue('snapshot-part', {
  queueName,
  connection: 'AzureWebJobsStorage',
  handler: snapshotPart,
})
