/** undici announces its decompression at each start (github.com/nodejs/undici, lib/interceptor/decompress.js). */
const known = 'DecompressInterceptor is experimental and subject to change'

/** Prints Node's warnings in one line each, but for the one that is known and that nobody here can act on. */
export function printWarnings(): void {
  process.removeAllListeners('warning')
  process.on('warning', ({ name, message }) => {
    if (message !== known) console.error(`${name}: ${message}`)
  })
}
