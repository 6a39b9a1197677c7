import { QueueServiceClient } from '@azure/storage-queue'
import { afterEach, expect, inject, test, vi } from 'vitest'
import type { LoadedApp } from '../../../local/host/core.ts'
import { type Queues, readQueueOptions, startQueues } from '../../../local/host/queues.ts'

let queues: Queues | undefined
afterEach(() => queues?.stop())

const service = QueueServiceClient.fromConnectionString(inject('storage'))

/** Polls one queue for a function that runs `work` with the text of each message. */
function poll(
  queueName: string,
  work: (text: string) => unknown,
  { leaseSeconds = 30, connectionString = inject('storage') } = {},
): string[] {
  const texts: string[] = []
  const app: LoadedApp = {
    functions: new Map([
      [
        'worker',
        { name: 'worker', bindings: { in: { name: 'in', type: 'queueTrigger', direction: 'in', queueName } } },
      ],
    ]),
    runHooks: async () => undefined,
    invoke: async (_, trigger) => {
      texts.push(trigger?.string ?? '')
      await work(trigger?.string ?? '')
      return undefined
    },
  }
  const settings = { maxPollingInterval: '00:00:00.100', visibilityTimeout: '00:00:00' }
  queues = startQueues({ app, connectionString, queues: readQueueOptions(settings), leaseSeconds })
  return texts
}

async function send(name: string, messageText: string) {
  const queue = service.getQueueClient(name)
  await queue.createIfNotExists()
  await queue.sendMessage(messageText)
  return queue
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

async function messagesOf(name: string): Promise<string[]> {
  const { peekedMessageItems } = await service.getQueueClient(name).peekMessages({ numberOfMessages: 32 })
  return peekedMessageItems.map(({ messageText }) => messageText)
}

test('a message that fails five times goes to the poison queue', async () => {
  await send('failing', base64('a'))
  const texts = poll('failing', () => {
    throw new Error('broken function')
  })
  await vi.waitFor(async () => expect(await messagesOf('failing-poison')).toEqual([base64('a')]), 10_000)
  expect(texts).toEqual(['a', 'a', 'a', 'a', 'a'])
  expect(await messagesOf('failing')).toEqual([])
})

test.each([
  ['no base64', 'not base64'],
  ['base64 cut short', 'aGVsbG8'],
  ['no UTF-8', Buffer.from([0xff, 0xfe]).toString('base64')],
])(
  'a message that is %s reaches no function, fails five times and goes to the poison queue unchanged',
  async (what, text) => {
    const name = what.toLowerCase().replaceAll(' ', '-')
    await send(name, text)
    const texts = poll(name, () => undefined)
    await vi.waitFor(async () => expect(await messagesOf(`${name}-poison`)).toEqual([text]), 10_000)
    expect(texts).toEqual([])
  },
)

test('polling a storage that cannot be reached ends at once', async () => {
  const connectionString = inject('storage').replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:1')
  poll('unreachable', () => undefined, { connectionString })
  const startedAt = performance.now()
  await queues?.stop()
  expect(performance.now() - startedAt).toBeLessThan(2000)
})

test('base64 can have line breaks, and a byte-order mark stays', async () => {
  await send('lines', `${base64('\uFEFFhello ')}\n${base64('world!')}`)
  const texts = poll('lines', () => undefined)
  await vi.waitFor(() => expect(texts).toEqual(['\uFEFFhello world!']), 10_000)
})

test('a failing message of a poison queue returns after its lease and is never moved', async () => {
  const queue = await send('twice-poison', base64('b'))
  const failures = 6
  const startedAt = Date.now()
  let times = 0
  const texts = poll(
    'twice-poison',
    () => {
      if (++times <= failures) throw new Error('broken function')
    },
    { leaseSeconds: 1 },
  )
  await vi.waitFor(() => expect(texts).toHaveLength(failures + 1), 15_000)
  expect(Date.now() - startedAt).toBeGreaterThan(failures * 900)
  await vi.waitFor(async () => expect((await queue.getProperties()).approximateMessagesCount).toBe(0), 5_000)
  expect(await service.getQueueClient('twice-poison-poison').exists()).toBe(false)
})
