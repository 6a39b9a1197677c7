import { createDocument } from './document.ts'

/** Created once per worker. Nothing is kept for each host, because callers can send any number of hosts. */
let made: Record<string, unknown> | undefined

/** The document with the address of the request. */
export function documentFor(address: URL): string {
  made ??= createDocument()
  return JSON.stringify({ ...made, host: address.host, schemes: [address.protocol.replace(':', '')] })
}
