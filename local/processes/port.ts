import { once } from 'node:events'
import { createServer } from 'node:net'
import { CommandError } from './command-error.ts'

const usualPort = 7071

/** How to set another port, in the shells of every system. */
const otherPort = (setting: string, port: number): string =>
  `set ${setting} to another one (sh: export ${setting}=${port + 1}, PowerShell: $env:${setting} = ${port + 1}, cmd: set ${setting}=${port + 1})`

/** The port in a setting, by default that of the host. 0 means any free port. */
export function readPort(text: string | undefined, setting = 'PORT', usual = usualPort): number {
  if (text === undefined || text.trim() === '') return usual
  const port = Number(text)
  if (/^\d+$/.test(text.trim()) && port <= 65_535) return port
  throw new CommandError(`${setting} is "${text}", which is no port. Set it to a number from 0 to 65535.`)
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

/** The error for a port that cannot be used. Other errors stay unchanged. */
export function explainListening(error: unknown, port: number, setting = 'PORT'): unknown {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return new CommandError(`Port ${port} is in use. End the program that uses it, or ${otherPort(setting, port)}.`)
    case 'EACCES':
      return new CommandError(
        `This account may not listen on port ${port}. Ports from 1024 on are free to use: ${otherPort(setting, usualPort)}.`,
      )
    default:
      return error
  }
}

/** Throws if the port is in use, before any service is started. */
export async function requireFreePort(port: number): Promise<void> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  } catch (error) {
    throw explainListening(error, port)
  } finally {
    server.close()
  }
}
