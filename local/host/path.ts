const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The length of the UTF-8 sequence that starts with this byte. */
const sequenceLength = (lead: number): number => (lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4)

/** The text of the bytes `%xx`. Undefined if they are not UTF-8. */
function toText(encoded: readonly string[]): string | undefined {
  try {
    return decoder.decode(Uint8Array.from(encoded, text => Number.parseInt(text.slice(1), 16)))
  } catch {
    return undefined
  }
}

function decodeRun(run: string): string {
  const encoded = run.match(/%../g) ?? []
  let text = ''
  for (let at = 0; at < encoded.length; ) {
    const [first = ''] = encoded.slice(at)
    const length = sequenceLength(Number.parseInt(first.slice(1), 16))
    const decoded = /^%2f$/i.test(first) ? undefined : toText(encoded.slice(at, at + length))
    text += decoded ?? first
    at += decoded === undefined ? 1 : length
  }
  return text
}

/**
 * Decodes a path once, like the platform's web server (aspnetcore, UrlDecoder). An invalid encoding and an encoded
 * slash stay unchanged.
 */
export const decodePath = (path: string): string => path.replace(/(?:%[0-9a-f]{2})+/gi, decodeRun)

/** Encodes a path like the platform in a function's URL. Parts that look encoded stay unchanged. */
export const encodePath = (path: string): string =>
  path
    .split(/(%[0-9a-f]{2})/i)
    .map((part, index) => (index % 2 === 1 ? part : encodeURI(part).replace(/[?#]/g, encodeURIComponent)))
    .join('')
