import { createDocument } from './document.ts'

/** Documents by host; a worker answers on few of them. */
const served = new Map<string, string>()
const mostHosts = 20

/** The document as bytes from memory, made once for each host it is asked on. */
export function documentFor(host: string): string {
  const known = served.get(host)
  if (known !== undefined) return known
  const document = JSON.stringify(createDocument(host))
  if (served.size < mostHosts) served.set(host, document)
  return document
}
