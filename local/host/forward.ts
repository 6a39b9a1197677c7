import { type IncomingMessage, request, type ServerResponse } from 'node:http'

/** Passes requests to another server on this machine, and its responses back, unchanged. */
export function forwardTo(origin: string) {
  const { hostname, port } = new URL(origin)
  return (incoming: IncomingMessage, response: ServerResponse): void => {
    const { method, headers, url: path } = incoming
    const outgoing = request({ hostname, port, path, method, headers }, answer => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    outgoing.on('error', () => {
      if (response.headersSent) response.destroy()
      else response.writeHead(502, { 'content-length': 0 }).end()
    })
    response.on('close', () => outgoing.destroy())
    incoming.pipe(outgoing)
  }
}
