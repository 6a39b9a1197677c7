import type { BlobInfo, Store } from '../../shared/snapshots/storage/store.ts'

type Blob = { body: Buffer; etag: string; metadata: Record<string, string> }

export type MemoryStore = Store & {
  blobs: Map<string, Blob>
  /** Called before each operation. If it throws, the operation throws, as at a crash. */
  before: (operation: string, name: string) => void
}

/** The snapshot container with the semantics of the service, for cases that are too slow or too rare on Azurite. */
export function createMemoryStore(): MemoryStore {
  const blobs = new Map<string, Blob>()
  const staged = new Map<string, Map<string, Buffer>>()
  let version = 0

  const info = (name: string, { body, etag, metadata }: Blob): BlobInfo => ({
    name,
    etag,
    bytes: body.length,
    metadata,
  })
  const put = (name: string, body: Buffer, metadata: Record<string, string>): string => {
    const etag = `"${++version}"`
    blobs.set(name, { body, etag, metadata })
    staged.delete(name)
    return etag
  }
  /** Lets other work run between any two operations, like a network. */
  const turn = async (operation: string, name: string) => {
    await new Promise(resolve => setImmediate(resolve))
    store.before(operation, name)
  }

  const store: MemoryStore = {
    blobs,
    before: () => undefined,
    async head(name) {
      await turn('head', name)
      const blob = blobs.get(name)
      return blob && info(name, blob)
    },
    async read(name, range) {
      await turn('read', name)
      const blob = blobs.get(name)
      if (blob === undefined) return undefined
      const body = range === undefined ? blob.body : blob.body.subarray(range.offset, range.offset + range.length)
      return { body: Buffer.from(body), info: info(name, blob) }
    },
    async write(name, body, { absent, etag, metadata = {} } = {}) {
      await turn('write', name)
      const present = blobs.get(name)
      if (absent && present !== undefined) return false
      if (etag !== undefined && present?.etag !== etag) return false
      return put(name, Buffer.from(body), metadata)
    },
    async stage(name, blockId, body) {
      await turn('stage', name)
      const blocks = staged.get(name) ?? new Map<string, Buffer>()
      staged.set(name, blocks.set(blockId, Buffer.from(body)))
    },
    async commit(name, blockIds, { metadata = {} } = {}) {
      await turn('commit', name)
      if (blobs.has(name)) return false
      const blocks = blockIds.map(id => staged.get(name)?.get(id))
      if (blocks.some(block => block === undefined)) return false
      put(name, Buffer.concat(blocks.filter(block => block !== undefined)), metadata)
      return true
    },
    async remove(name) {
      await turn('remove', name)
      blobs.delete(name)
    },
    async *list(prefix) {
      await turn('list', prefix)
      for (const name of [...blobs.keys()].filter(name => name.startsWith(prefix)).sort()) {
        const blob = blobs.get(name)
        if (blob !== undefined) yield info(name, blob)
      }
    },
    async *listFolders(folder) {
      await turn('listFolders', folder)
      const below = [...blobs.keys()].filter(name => name.startsWith(folder)).map(name => name.slice(folder.length))
      const names = new Set(below.filter(name => name.includes('/')).map(name => name.slice(0, name.indexOf('/') + 1)))
      for (const name of [...names].sort()) yield folder + name
    },
  }
  return store
}
