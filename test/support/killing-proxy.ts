import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Whether the write still takes effect before the kill. */
export type Moment = 'before' | 'after'

export type KillingProxy = {
  port: number
  /** Calls `kill` once, at the next write to a matching address, before or after the write takes effect. */
  arm: (address: RegExp, moment: Moment, kill: () => Promise<void>) => void
  /** Ignores writes from now on. Waits for a kill that began, and returns true if there was one. */
  disarm: () => Promise<boolean>
  stop: () => void
}

/** Forwards HTTP to a port of this machine, and kills its client at a write. */
export async function startKillingProxy(targetPort: number): Promise<KillingProxy> {
  let armed: { address: RegExp; moment: Moment; kill: () => Promise<void> } | undefined
  let killed: Promise<void> | undefined

  const forward = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method, url = '', headers } = incoming
    const last = method === 'PUT' && armed?.address.test(url) === true ? armed : undefined
    const { promise: taken, resolve: take } = Promise.withResolvers<void>()
    if (last !== undefined) {
      armed = undefined
      killed = taken.then(last.kill)
    }
    if (last?.moment === 'before') {
      incoming.resume()
      take()
      return
    }
    const forwarded = request({ port: targetPort, host: '127.0.0.1', method, path: url, headers }, response => {
      if (last !== undefined) {
        response.resume()
        take()
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
    arm(address, moment, kill) {
      armed = { address, moment, kill }
      killed = undefined
    },
    async disarm() {
      armed = undefined
      await killed
      return killed !== undefined
    },
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
