import { readFileSync, writeFileSync } from 'node:fs'
import { QueueServiceClient } from '@azure/storage-queue'
import { createApp } from '../../shared/app.ts'
import type { OperationContext } from '../../shared/runtime/operation.ts'
import { environment } from '../../shared/settings.ts'
import { customerIds } from './upstream.ts'

/**
 * One worker that plans a run, or reads its parts, from messages that it takes from the queue itself. A second argument is
 * the number of customers of a run over some customers. Prints its peak resident and live memory above idle, in bytes. Run
 * it with `--expose-gc` and the heap limits.
 */
const [role, some] = process.argv.slice(2)
const env = environment()
const gc = (globalThis as { gc?: () => void }).gc ?? (() => undefined)

const field = (name: string): number =>
  Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024
const live = async (): Promise<number> => {
  // The first collection only hands over what native code has to free, such as zlib's memory; the second counts it as freed.
  gc()
  await new Promise(resolve => setTimeout(resolve, 20))
  gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const operation = (): OperationContext => ({
  correlationId: 'bench',
  deadline: { at: Date.now() + 1_200_000, signal: new AbortController().signal, silenceMs: 30_000 },
  log: () => undefined,
})

const app = createApp()
const snapshots = await app.snapshots()
// Loading and sign-in come before the measurement.
await (await app.readers()).reachability(operation())
const queue = QueueServiceClient.fromConnectionString(env.AzureWebJobsStorage ?? '').getQueueClient('snapshot-parts')
await queue.createIfNotExists()

async function take(): Promise<boolean> {
  const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 1, visibilityTimeout: 600 })
  const [message] = receivedMessageItems
  if (message === undefined) return false
  await snapshots.handle(JSON.parse(Buffer.from(message.messageText, 'base64').toString('utf8')), operation())
  await queue.deleteMessage(message.messageId, message.popReceipt)
  return true
}

// The first part loads and compiles the code.
if (role === 'worker') await take()
const idleLive = await live()
const idle = field('VmRSS')
writeFileSync('/proc/self/clear_refs', '5')
let mostLive = 0
// Before the message that ends the run. With it, a worker also writes the report.
let residentOfParts = 0
if (role === 'planner') {
  const planned = customerIds(Number(some)).map((id): [string, string] => [id, 'Customer Zürich AG'])
  await snapshots.start('request', some === undefined ? undefined : planned, operation())
  await take()
  mostLive = await live()
} else {
  for (let parts = 1; ; parts++) {
    const before = field('VmHWM') - idle
    if (!(await take())) break
    residentOfParts = before
    if (parts % 10 === 0) mostLive = Math.max(mostLive, await live())
  }
  mostLive = Math.max(mostLive, await live())
}
console.log(JSON.stringify({ resident: field('VmHWM') - idle, residentOfParts, live: mostLive - idleLive }))
process.exit(0)
