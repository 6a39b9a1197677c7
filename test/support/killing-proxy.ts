import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Whether the write at which somebody dies still takes effect. */
export type Moment = 'before' | 'after'

export type KillingProxy = {
  port: number
  /** Calls `kill` once, at the next write to such an address, before or after the write takes effect. */
  arm: (address: RegExp, moment: Moment, kill: () => Promise<void>) => void
  /** Ignores writes from now on. Resolves to true if there was a kill since it was armed, once that is over. */
  disarm: () => Promise<boolean>
  stop: () => void
}

/** Passes HTTP on to a port of this machine, and kills whoever sends through it at a write. */
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
