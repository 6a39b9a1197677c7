import type { QueueClient } from '@azure/storage-queue'
import type { Message } from './messages.ts'
import { toStorageError } from './storage-errors.ts'

/** The queue of `snapshot-part`. The platform moves a message that failed five times to the poison queue. */

export type PartQueue = {
  /** Sends a message that becomes visible after a delay in whole seconds. */
  send: (message: Message, delaySeconds?: number) => Promise<unknown>
}

/**
 * A message can be hidden for less than the seven days that it lives
 * (learn.microsoft.com/rest/api/storageservices/put-message).
 */
const longestDelaySeconds = 7 * 24 * 3600 - 60

export function createPartQueue(client: QueueClient): PartQueue {
  async function put(message: Message, delaySeconds: number) {
    // The trigger expects base64 (host.json, messageEncoding).
    const text = Buffer.from(JSON.stringify(message)).toString('base64')
    const visibilityTimeout = Math.min(Math.max(0, Math.round(delaySeconds)), longestDelaySeconds)
    try {
      return await client.sendMessage(text, { visibilityTimeout })
    } catch (error) {
      if (!(error instanceof Error && 'statusCode' in error && error.statusCode === 404)) throw error
      await client.createIfNotExists()
      return client.sendMessage(text, { visibilityTimeout })
    }
  }

  return {
    async send(message, delaySeconds = 0) {
      try {
        await put(message, delaySeconds)
      } catch (error) {
        throw toStorageError(error)
      }
    },
  }
}
