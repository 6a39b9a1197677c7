/** undici prints this for its decompression at each start (github.com/nodejs/undici, lib/interceptor/decompress.js). */
const known = 'DecompressInterceptor is experimental and subject to change'

/** Prints each warning of Node.js in one line, except the known one, which a developer cannot fix. */
export function printWarnings(): void {
  process.removeAllListeners('warning')
  process.on('warning', ({ name, message }) => {
    if (message !== known) console.error(`${name}: ${message}`)
  })
}
