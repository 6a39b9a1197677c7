import { createServer as createPlainServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

export type PassedOn = { status: number; headers: Record<string, string | string[] | undefined>; body: Buffer }

/** One request that a faulty server has, and what a fault can do with it. */
export type Exchange = {
  /** How many requests came since the fault was set, this one included. */
  count: number
  method: string
  url: string
  outgoing: ServerResponse
  /** The TCP connection, below TLS. */
  socket: Socket
  /** Gives the response of the real service, changed if wanted. */
  pass: (change?: (response: PassedOn) => PassedOn) => void
}

/** What goes wrong: nobody listens, or a request is treated badly. */
export type WireFault = 'refused' | ((exchange: Exchange) => void)

export type FaultyServer = {
  url: string
  /** Sets the fault, or none. Resolves once it is in force for open connections, too. */
  setFault: (fault: WireFault | undefined) => Promise<void>
  /** Requests since the fault was set. */
  count: () => number
  isClosed: () => boolean
  stop: () => Promise<void>
}

export type Tls = { cert: string; key: string }

/**
 * A server on loopback, over TLS if a certificate is given, that passes requests on to a real service until a fault is
 * set. `target` may depend on the path and query of the request.
 */
export async function startFaultyServer(
  target: string | ((url: string) => string | undefined),
  tls?: Tls,
  /** Called with the body of each request. */
  onBody: (url: string, body: Buffer) => void = () => undefined,
): Promise<FaultyServer> {
  const sockets = new Map<number | undefined, Socket>()
  let fault: WireFault | undefined
  let count = 0

  const listener = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method = 'GET', url = '/', headers, socket } = incoming
    const to = new URL((typeof target === 'string' ? target : target(url)) ?? 'http://127.0.0.1:1')
    const sent = await buffer(incoming).catch(() => undefined)
    if (sent === undefined) return
    onBody(url, sent)
    const pass: Exchange['pass'] = (change = response => response) => {
      // A body that a fault changes has to come as it is.
      const { 'accept-encoding': _, ...kept } = headers
      const options = { host: to.hostname, port: to.port, method, path: url, headers: kept }
      const forwarded = request(options, async response => {
        const body = await buffer(response)
        const { 'transfer-encoding': _, connection: __, 'content-length': length, ...given } = response.headers
        const changed = change({ status: response.statusCode ?? 502, headers: given, body })
        const isHead = method === 'HEAD'
        const lengthHeader = isHead
          ? length === undefined
            ? {}
            : { 'content-length': length }
          : { 'content-length': changed.body.length }
        outgoing.writeHead(changed.status, {
          ...changed.headers,
          ...(changed.status === 204 || changed.status === 304 ? {} : lengthHeader),
        })
        outgoing.end(isHead ? undefined : changed.body)
      })
      forwarded.on('error', () => outgoing.destroy())
      forwarded.end(sent)
    }
    count++
    if (fault === undefined || fault === 'refused') return pass()
    fault({ count, method, url, outgoing, socket: sockets.get(socket.remotePort) ?? socket, pass })
  }
  const server = tls === undefined ? createPlainServer(listener) : createTlsServer(tls, listener)
  server.on('connection', (socket: Socket) => {
    const { remotePort } = socket
    sockets.set(remotePort, socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(remotePort))
  })
  const listen = (port: number) =>
    new Promise<number>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject)
        resolve((server.address() as AddressInfo).port)
      })
    })
  const close = () =>
    new Promise<void>(resolve => {
      if (!server.listening) return resolve()
      server.close(() => resolve())
      for (const socket of sockets.values()) socket.destroy()
    })
  const port = await listen(0)
  /** Listens on the same port again. In the meantime, the system may have given the port to an outgoing connection. */
  const listenAgain = async (): Promise<void> => {
    for (let tries = 1; !server.listening; tries++) {
      try {
        await listen(port)
      } catch (error) {
        if (tries === 100) throw error
        await sleep(100)
      }
    }
  }

  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    async setFault(next) {
      fault = next
      count = 0
      if (next === 'refused') await close()
      else await listenAgain()
    },
    count: () => count,
    isClosed: () => !server.listening,
    stop: close,
  }
}
