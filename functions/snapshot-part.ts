import { app, type InvocationContext } from '@azure/functions'
import { inBackground } from '../shared/background.ts'

/** Below the 30 minutes of `functionTimeout` in host.json: what is not done by then is delivered again. */
const deadlineSeconds = 28 * 60

/** Plans a run, or reads one part of it. A rejection makes the platform deliver the message again, five times at most. */
export const snapshotPart = (message: unknown, context: InvocationContext): Promise<void> =>
  inBackground(context, deadlineSeconds, async (app, operation) => {
    const { handle } = await app.snapshots()
    await handle(message, operation)
  })

app.storageQueue('snapshot-part', {
  queueName: 'snapshot-parts',
  connection: 'AzureWebJobsStorage',
  handler: snapshotPart,
})
