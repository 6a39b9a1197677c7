import { vi } from 'vitest'

/**
 * Compresses at once instead of on a thread: when a thread is done depends on the machine, and the order of steps must
 * depend on the seed alone. The bytes are the same.
 */
vi.mock('node:zlib', async importOriginal => {
  const zlib = await importOriginal<typeof import('node:zlib')>()
  type Done = (error: Error | null, result?: Buffer) => void
  const atOnce = (work: (input: Buffer, options: object) => Buffer) => (input: Buffer, options: object, done: Done) => {
    let result: Buffer
    try {
      result = work(input, options)
    } catch (error) {
      return done(error instanceof Error ? error : new Error(String(error)))
    }
    done(null, result)
  }
  const gzip = atOnce(zlib.gzipSync)
  const gunzip = atOnce(zlib.gunzipSync)
  return { ...zlib, default: { ...zlib, gzip, gunzip }, gzip, gunzip }
})
