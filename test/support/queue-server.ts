import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export type SentMessage = { message: unknown; visibleAt: number; deliveries: number }

export type QueueServer = {
  url: string
  /** What was sent and not yet taken out. */
  messages: SentMessage[]
  stop: () => void
}

/** The part of a storage queue that senders see, by a clock that a test moves on. Whoever receives takes out of `messages`. */
export async function startQueueServer(now: () => number): Promise<QueueServer> {
  const messages: SentMessage[] = []
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const encoded = /<MessageText>([^<]*)<\/MessageText>/.exec(body)?.[1]
    if (encoded === undefined) return response.writeHead(201, { 'content-length': 0 }).end()
    const seconds = Number(new URL(request.url ?? '/', 'http://queue').searchParams.get('visibilitytimeout') ?? 0)
    const message: unknown = JSON.parse(Buffer.from(encoded, 'base64').toString())
    messages.push({ message, visibleAt: now() + seconds * 1000, deliveries: 0 })
    response.writeHead(201, { 'content-type': 'application/xml' })
    response.end('<?xml version="1.0" encoding="utf-8"?><QueueMessagesList></QueueMessagesList>')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    messages,
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
