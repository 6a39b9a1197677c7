import { gunzipSync } from 'node:zlib'
import { BlobServiceClient, RestError } from '@azure/storage-blob'

type StoredFile = { name: string; bytes: number; changedAt: string }

/** The blobs of the snapshot container. */
export type StoredFiles = {
  list: (prefix?: string) => Promise<StoredFile[]>
  read: (name: string) => Promise<Buffer | undefined>
  /** Decompressed if it is compressed. */
  readText: (name: string) => Promise<Buffer | undefined>
}

const isMissing = (error: unknown): boolean => error instanceof RestError && error.statusCode === 404

export function openStoredFiles(storage: string, container: string): StoredFiles {
  const client = BlobServiceClient.fromConnectionString(storage).getContainerClient(container)

  async function list(prefix = ''): Promise<StoredFile[]> {
    const found: StoredFile[] = []
    try {
      for await (const { name, properties } of client.listBlobsFlat({ prefix })) {
        found.push({
          name,
          bytes: properties.contentLength ?? 0,
          changedAt: properties.lastModified.toISOString(),
        })
      }
    } catch (error) {
      // The app creates the container with its first snapshot.
      if (!isMissing(error)) throw error
    }
    return found
  }

  async function read(name: string): Promise<Buffer | undefined> {
    try {
      return await client.getBlobClient(name).downloadToBuffer()
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  return {
    list,
    read,
    async readText(name) {
      const bytes = await read(name)
      return bytes !== undefined && name.endsWith('.gz') ? gunzipSync(bytes) : bytes
    },
  }
}
