import { createDocument } from './document.ts'

/** Made once a worker. Nothing is kept for each host, since callers can send any number of them. */
let made: Record<string, unknown> | undefined

/** The document with the address that it was asked on. */
export function documentFor(address: URL): string {
  made ??= createDocument()
  return JSON.stringify({ ...made, host: address.host, schemes: [address.protocol.replace(':', '')] })
}
