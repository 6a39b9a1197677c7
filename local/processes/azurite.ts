import { createRequire } from 'node:module'
import { createConnection } from 'node:net'
import { BlobSASPermissions, BlobServiceClient } from '@azure/storage-blob'
import { EndedEarly, type Running, runNode } from './run-node.ts'

export type Azurite = {
  /** Connection string of the emulator's well-known account. */
  connectionString: string
  blobUrl: string
  /** A link that reads one blob without an account, for a day. */
  readUrl: (container: string, blob: string) => Promise<string>
  running: Running
  stop: () => Promise<void>
}

/** The account and key of every storage emulator (learn.microsoft.com/azure/storage/common/storage-use-azurite). */
const account = 'devstoreaccount1'
const accountKey = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='

const usualPorts = { blob: 10000, queue: 10001 }
const anyPorts = { blob: 0, queue: 0 }

/**
 * Starts Azurite, in memory or in a folder. On request, it uses its usual ports if they are free, where storage tools
 * expect it.
 */
export async function startAzurite({
  folder,
  usual = false,
}: {
  folder?: string
  usual?: boolean
} = {}): Promise<Azurite> {
  const free = usual && (await isFree(usualPorts.blob)) && (await isFree(usualPorts.queue))
  const running = free
    ? await run(usualPorts, folder).catch(error => {
        // Another program took the port first.
        if (error instanceof EndedEarly && error.message.includes('EADDRINUSE')) return run(anyPorts, folder)
        throw error
      })
    : await run(anyPorts, folder)
  const blobUrl = `${addressOf('Blob', running.lines)}/${account}`
  const queueUrl = `${addressOf('Queue', running.lines)}/${account}`
  const connectionString = `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${accountKey};BlobEndpoint=${blobUrl};QueueEndpoint=${queueUrl};`
  return {
    connectionString,
    blobUrl,
    readUrl: (container, blob) =>
      BlobServiceClient.fromConnectionString(connectionString)
        .getContainerClient(container)
        .getBlobClient(blob)
        .generateSasUrl({ permissions: BlobSASPermissions.parse('r'), expiresOn: new Date(Date.now() + 86_400_000) }),
    running,
    stop: () => running.stop(),
  }
}

function run({ blob, queue }: { blob: number; queue: number }, folder: string | undefined): Promise<Running> {
  const script = createRequire(import.meta.url).resolve('azurite/dist/src/azurite.js')
  return runNode(
    [
      script,
      ...['--blobPort', String(blob), '--queuePort', String(queue), '--tablePort', '0'],
      ...(folder === undefined ? ['--inMemoryPersistence'] : ['--location', folder]),
      ...['--skipApiVersionCheck', '--silent', '--disableTelemetry'],
    ],
    lines => ['Blob', 'Queue', 'Table'].every(service => addressOf(service, lines) !== undefined),
    // Hides deprecation warnings of its Azure SDK, which this project cannot fix.
    { nodeArguments: ['--no-deprecation'] },
  )
}

const addressOf = (service: string, lines: readonly string[]): string | undefined => {
  const pattern = new RegExp(`Azurite ${service} service is successfully listening at (\\S+)`)
  for (const line of lines) {
    const address = pattern.exec(line)?.[1]
    if (address !== undefined) return address
  }
  return undefined
}

const isFree = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = createConnection({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.once('error', () => resolve(true))
  })
