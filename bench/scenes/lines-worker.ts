import { QueueServiceClient } from '@azure/storage-queue'
import { createApp } from '../../shared/app.ts'
import type { OperationContext } from '../../shared/runtime/operation.ts'
import { environment } from '../../shared/settings.ts'
import { customerIds } from './upstream.ts'

/**
 * One worker that takes snapshots of the same customers alternately: of all customers, which writes their order lines,
 * and of some, which does not. Prints the milliseconds from start to manifest of each, and the CPU that they took, with
 * that of the report that follows a run of all customers.
 */
const [customers = 1000, rounds = 5] = process.argv.slice(2).map(Number)
const env = environment()
const operation = (): OperationContext => ({
  correlationId: 'bench',
  deadline: { at: Date.now() + 1_200_000, signal: new AbortController().signal, silenceMs: 30_000 },
  log: () => undefined,
})
const snapshots = await createApp().snapshots()
const queue = QueueServiceClient.fromConnectionString(env.AzureWebJobsStorage ?? '').getQueueClient('snapshot-parts')
await queue.createIfNotExists()
const some = customerIds(customers).map((id): [string, string] => [id, 'Customer Zürich AG'])

/** Takes messages, two at a time like the platform, until the run has its manifest. */
async function snapshot(which: [string, string][] | undefined): Promise<{ ms: number; cpu: number }> {
  const cpu = process.cpuUsage()
  const { snapshotId } = await snapshots.start('request', which, operation())
  let isOver = false
  const lane = async () => {
    while (!isOver) {
      const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 1, visibilityTimeout: 600 })
      const [message] = receivedMessageItems
      if (message === undefined) {
        isOver ||= 'manifest' in (await snapshots.status.get(snapshotId, operation()))
        continue
      }
      await snapshots.handle(JSON.parse(Buffer.from(message.messageText, 'base64').toString('utf8')), operation())
      await queue.deleteMessage(message.messageId, message.popReceipt)
    }
  }
  await Promise.all([lane(), lane()])
  const { user, system } = process.cpuUsage(cpu)
  const found = await snapshots.status.get(snapshotId, operation())
  if (!('manifest' in found)) throw new Error('The run has no manifest')
  const { startedAt, finishedAt } = found.manifest
  return { ms: Date.parse(finishedAt ?? '') - Date.parse(startedAt), cpu: (user + system) / 1000 }
}

await snapshot(undefined)
await snapshot(some)
const found: { lines: { ms: number; cpu: number }; without: { ms: number; cpu: number } }[] = []
for (let round = 0; round < rounds; round++) {
  found.push({ lines: await snapshot(undefined), without: await snapshot(some) })
}
console.log(JSON.stringify(found))
process.exit(0)
