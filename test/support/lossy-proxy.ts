import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export type LossyProxy = {
  port: number
  lost: () => number
  openSockets: () => number
  stop: () => void
}

/** Forwards HTTP to a port of this machine, and drops the response if `loses` returns true. */
export async function startLossyProxy(targetPort: number, loses: () => boolean): Promise<LossyProxy> {
  const sockets = new Set<Socket>()
  let lost = 0
  const forward = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method, url, headers } = incoming
    const forwarded = request({ port: targetPort, host: '127.0.0.1', method, path: url, headers }, response => {
      if (loses()) {
        lost++
        response.resume()
        return
      }
      outgoing.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(outgoing)
    })
    forwarded.on('error', () => outgoing.destroy())
    incoming.pipe(forwarded)
  }
  const server = createServer(forward)
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    lost: () => lost,
    openSockets: () => sockets.size,
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
