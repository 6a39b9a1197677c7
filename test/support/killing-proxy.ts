import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Whether the write still takes effect before the kill. */
export type Moment = 'before' | 'after'

export type KillingProxy = {
  port: number
  /** Calls `kill` at the write with that number from now on, before or after it takes effect. */
  arm: (write: number, moment: Moment, kill: () => Promise<void>) => void
  /** The path of the write at which it killed since it was armed. */
  struck: () => string | undefined
  stop: () => void
}

/**
 * Forwards HTTP to a port of this machine, and kills its client at a write. Writes of the rate limiter do not count.
 */
export async function startKillingProxy(targetPort: number): Promise<KillingProxy> {
  let left = Number.POSITIVE_INFINITY
  let moment: Moment = 'before'
  let kill = async () => {}
  let struck: string | undefined

  const forward = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method, url = '', headers } = incoming
    const isLast = method === 'PUT' && !url.includes('/pace.json') && --left === 0
    if (isLast) struck = url
    if (isLast && moment === 'before') {
      incoming.resume()
      void kill()
      return
    }
    const forwarded = request({ port: targetPort, host: '127.0.0.1', method, path: url, headers }, response => {
      if (isLast) {
        response.resume()
        void kill()
        return
      }
      outgoing.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(outgoing)
    })
    forwarded.on('error', () => outgoing.destroy())
    incoming.pipe(forwarded)
  }
  const server = createServer(forward)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    arm(write, when, how) {
      left = write
      moment = when
      kill = how
      struck = undefined
    },
    struck: () => struck,
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
