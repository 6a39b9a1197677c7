import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob'
import { decodeLines } from '../../shared/snapshots/storage/codec.ts'

export type SnapshotRow = {
  customerTenantId: string
  customerName: string
  retrievedAt: string
  order: { id: string } & Record<string, unknown>
}

/** The snapshot container as a data tool sees it. */
export const openContainer = (storage: string, name = 'order-snapshots'): ContainerClient =>
  BlobServiceClient.fromConnectionString(storage).getContainerClient(name)

export async function readBlob(container: ContainerClient, name: string): Promise<Buffer> {
  return container.getBlobClient(name).downloadToBuffer()
}

export const readJson = async <T>(container: ContainerClient, name: string): Promise<T> =>
  JSON.parse((await readBlob(container, name)).toString('utf8')) as T

export const listBlobs = async (container: ContainerClient, prefix = ''): Promise<string[]> =>
  (await Array.fromAsync(container.listBlobsFlat({ prefix }))).map(({ name }) => name)

/** Every line of the parts below a prefix, in order. */
export async function readRows<T>(container: ContainerClient, prefix: string): Promise<T[]> {
  const rows: T[] = []
  for (const name of (await listBlobs(container, prefix)).filter(name => name.endsWith('.ndjson.gz'))) {
    const lines = await decodeLines(await readBlob(container, name))
    rows.push(...lines.map(line => JSON.parse(line.toString('utf8')) as T))
  }
  return rows
}

/** Copies every blob to a folder, with its path. */
export async function copyContainer(container: ContainerClient, folder: string): Promise<void> {
  for (const name of await listBlobs(container)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), await readBlob(container, name))
  }
}

/** Starts a run and waits for its end like a flow: polls the Location until it no longer returns 202. */
export async function takeSnapshot(api: string, body?: unknown): Promise<Response> {
  const options = { method: 'POST', ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
  const started = await fetch(`${api}/snapshots`, options)
  if (started.status !== 202) return started
  const location = started.headers.get('location') ?? ''
  for (;;) {
    const response = await fetch(location)
    if (response.status !== 202) return response
    await response.arrayBuffer()
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
