import { setTimeout as sleep } from 'node:timers/promises'
import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue'
import { QueueServiceClient } from '@azure/storage-queue'
import type { FunctionMetadata, LoadedApp } from './core.ts'

/** The settings `extensions.queues` of host.json, with the defaults of the platform. */
type QueueOptions = {
  batchSize: number
  newBatchThreshold: number
  maxDequeueCount: number
  /** Milliseconds before a failed message is delivered again. */
  visibilityTimeoutMs: number
  maxPollingIntervalMs: number
  messageEncoding: 'base64' | 'none'
}

const leastPollingIntervalMs = 100

/** Milliseconds of `hh:mm:ss`. */
const toMs = (text: string): number => text.split(':').reduce((seconds, part) => seconds * 60 + Number(part), 0) * 1000

/**
 * Reads the settings of host.json. The defaults are those of the platform
 * (learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue).
 */
export function readQueueOptions(settings: Record<string, unknown> = {}): QueueOptions {
  const batchSize = Number(settings.batchSize ?? 16)
  return {
    batchSize,
    newBatchThreshold: Number(settings.newBatchThreshold ?? Math.floor(batchSize / 2)),
    maxDequeueCount: Number(settings.maxDequeueCount ?? 5),
    visibilityTimeoutMs: toMs(String(settings.visibilityTimeout ?? '00:00:00')),
    maxPollingIntervalMs: toMs(String(settings.maxPollingInterval ?? '00:01:00')),
    messageEncoding: settings.messageEncoding === 'none' ? 'none' : 'base64',
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Decodes a message from base64. A message that cannot be decoded fails like a function that throws. */
function decodeMessage(message: string): string {
  const base64 = message.replace(/[ \t\r\n]/g, '')
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64)) {
    throw new Error('The message is not valid base64.')
  }
  return utf8.decode(Buffer.from(base64, 'base64'))
}

export type Queues = { stop: () => Promise<void> }

type Options = {
  app: LoadedApp
  /** Without a connection string, no queue is polled. */
  connectionString: string | undefined
  queues: QueueOptions
  /**
   * Seconds for which a message in progress is hidden. The lease is renewed after half of them. The platform uses 600.
   */
  leaseSeconds: number
}

/**
 * Polls the queues of queue triggers like the platform. A message in progress is leased, and the lease is renewed. A
 * failed message returns after `visibilityTimeout`. A message that failed `maxDequeueCount` times goes to the poison
 * queue.
 */
export function startQueues({ app, connectionString, queues, leaseSeconds }: Options): Queues {
  if (connectionString === undefined) return { stop: async () => undefined }
  const service = QueueServiceClient.fromConnectionString(connectionString)
  // The next poll is the retry, and the host can end without waiting for more of them.
  const polling = QueueServiceClient.fromConnectionString(connectionString, { retryOptions: { maxTries: 1 } })
  const ending = new AbortController()
  const listeners = [...app.functions.values()].flatMap(metadata => {
    const trigger = Object.values(metadata.bindings).find(({ type }) => type === 'queueTrigger')
    return trigger === undefined ? [] : [listen(metadata, String(trigger.queueName))]
  })
  return {
    async stop() {
      ending.abort()
      await Promise.all(listeners)
    },
  }

  async function listen(metadata: FunctionMetadata, name: string): Promise<void> {
    const queue = service.getQueueClient(name)
    const polled = polling.getQueueClient(name)
    // A poison queue has no poison queue.
    const poison = name.endsWith('-poison') ? undefined : service.getQueueClient(`${name}-poison`)
    const working = new Set<Promise<void>>()
    let intervalMs = leastPollingIntervalMs
    while (!ending.signal.aborted) {
      const received = working.size > queues.newBatchThreshold ? [] : await receive(polled)
      for (const message of received) {
        const work = handle(metadata, queue, poison, message).finally(() => working.delete(work))
        working.add(work)
      }
      intervalMs =
        received.length > 0 ? leastPollingIntervalMs : Math.min(queues.maxPollingIntervalMs, intervalMs * 1.5)
      const idle = sleep(intervalMs, undefined, { signal: ending.signal }).catch(() => undefined)
      await (working.size === 0 || received.length > 0 ? idle : Promise.race([idle, ...working]))
    }
    await Promise.all(working)
  }

  async function receive(queue: QueueClient): Promise<DequeuedMessageItem[]> {
    try {
      const options = { numberOfMessages: queues.batchSize, visibilityTimeout: leaseSeconds }
      return (await queue.receiveMessages(options)).receivedMessageItems
    } catch {
      // The queue or the storage does not exist yet. The next poll tries again.
      return []
    }
  }

  async function handle(
    { name }: FunctionMetadata,
    queue: QueueClient,
    poison: QueueClient | undefined,
    message: DequeuedMessageItem,
  ): Promise<void> {
    let { popReceipt } = message
    const renew = async (seconds: number) => {
      const updated = await queue.updateMessage(message.messageId, popReceipt, undefined, seconds)
      popReceipt = updated.popReceipt ?? popReceipt
    }
    const moveTo = async (poison: QueueClient) => {
      await poison.createIfNotExists()
      await poison.sendMessage(message.messageText)
      await queue.deleteMessage(message.messageId, popReceipt)
    }
    const renewing = setInterval(() => renew(leaseSeconds).catch(() => undefined), leaseSeconds * 500)
    try {
      if (poison !== undefined && message.dequeueCount > queues.maxDequeueCount) return await moveTo(poison)
      const failure = await run(name, message)
      clearInterval(renewing)
      if (failure === undefined) await queue.deleteMessage(message.messageId, popReceipt)
      // Without a poison queue, a failing message returns after each lease.
      else if (poison === undefined) return
      else if (message.dequeueCount >= queues.maxDequeueCount) await moveTo(poison)
      else await renew(queues.visibilityTimeoutMs / 1000)
    } catch (error) {
      console.error(JSON.stringify({ event: 'queue_failed', function: name, message: String(error) }))
    } finally {
      clearInterval(renewing)
    }
  }

  async function run(name: string, message: DequeuedMessageItem): Promise<unknown> {
    try {
      const { messageText, messageId, dequeueCount } = message
      const text = queues.messageEncoding === 'base64' ? decodeMessage(messageText) : messageText
      const metadata = { Id: { string: messageId }, DequeueCount: { string: String(dequeueCount) } }
      await app.invoke(name, { string: text }, metadata)
      return undefined
    } catch (error) {
      console.error(JSON.stringify({ event: 'function_failed', function: name, message: String(error) }))
      return error
    }
  }
}
