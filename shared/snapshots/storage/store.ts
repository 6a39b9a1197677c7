import type { ContainerClient } from '@azure/storage-blob'
import { isConflict, isContainerMissing, isMissing, isOutOfRange, toStorageError } from './storage-errors.ts'

export type BlobInfo = {
  name: string
  etag: string
  bytes: number
  metadata: Readonly<Record<string, string>>
}

type Conditions = {
  /** Only if the blob does not exist. */
  absent?: boolean
  /** Only if the blob still has this version. */
  etag?: string
}

type WriteOptions = Conditions & { metadata?: Record<string, string>; contentType?: string }

/** The snapshot container. Every decision of a run is one conditional write. A missing blob is undefined. */
export type Store = {
  head: (name: string) => Promise<BlobInfo | undefined>
  /** The whole blob, or `length` bytes from `offset` on. Fewer if the blob ends earlier. */
  read: (
    name: string,
    range?: { offset: number; length: number },
  ) => Promise<{ body: Buffer; info: BlobInfo } | undefined>
  /** The new version. False if a condition is not met. */
  write: (name: string, body: string | Buffer, options?: WriteOptions) => Promise<string | false>
  /** Adds a block, which is invisible until it is committed. */
  stage: (name: string, blockId: string, body: Buffer) => Promise<void>
  /** Creates a blob from staged blocks. False if the blob exists. */
  commit: (name: string, blockIds: string[], options?: Omit<WriteOptions, keyof Conditions>) => Promise<boolean>
  /** Deletes a blob if it exists. */
  remove: (name: string) => Promise<void>
  list: (prefix: string) => AsyncGenerator<BlobInfo>
  /** Folders directly below a folder; both end with a slash. */
  listFolders: (folder: string) => AsyncGenerator<string>
}

export function createStore(container: ContainerClient): Store {
  let ensured: Promise<unknown> | undefined

  /** Runs a write. If the container is missing, it is created first. */
  async function writing<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write()
    } catch (error) {
      if (!isContainerMissing(error)) throw error
      ensured ??= container.createIfNotExists().finally(() => {
        ensured = undefined
      })
      await ensured
      return write()
    }
  }

  const attempt = async <T>(act: () => Promise<T>, otherwise: (error: unknown) => T): Promise<T> => {
    try {
      return await act()
    } catch (error) {
      return otherwise(error)
    }
  }

  const undefinedIfMissing =
    (name: string) =>
    (error: unknown): undefined => {
      if (isMissing(error)) return undefined
      throw toStorageError(error, name)
    }

  const falseIfConflict =
    (name: string) =>
    (error: unknown): false => {
      if (isConflict(error)) return false
      throw toStorageError(error, name)
    }

  return {
    head: name =>
      attempt(async () => {
        const { etag = '', contentLength = 0, metadata = {} } = await container.getBlobClient(name).getProperties()
        return { name, etag, bytes: contentLength, metadata }
      }, undefinedIfMissing(name)),

    read: (name, range) => {
      const nothing = { body: Buffer.alloc(0), info: { name, etag: '', bytes: 0, metadata: {} } }
      return attempt(
        async () => {
          if (range?.length === 0) return nothing
          const response = await container.getBlobClient(name).download(range?.offset ?? 0, range?.length)
          const chunks: Buffer[] = []
          for await (const chunk of response.readableStreamBody ?? []) chunks.push(chunk as Buffer)
          const { etag = '', contentLength = 0, metadata = {} } = response
          return { body: Buffer.concat(chunks), info: { name, etag, bytes: contentLength, metadata } }
        },
        error => (isOutOfRange(error) ? nothing : undefinedIfMissing(name)(error)),
      )
    },

    write: (name, body, { absent, etag, metadata, contentType = 'application/json' } = {}) =>
      attempt<string | false>(async () => {
        const bytes = Buffer.from(body)
        const options = {
          conditions: { ...(absent ? { ifNoneMatch: '*' } : {}), ...(etag === undefined ? {} : { ifMatch: etag }) },
          ...(metadata === undefined ? {} : { metadata }),
          blobHTTPHeaders: { blobContentType: contentType },
        }
        const written = await writing(() => container.getBlockBlobClient(name).upload(bytes, bytes.length, options))
        return written.etag ?? ''
      }, falseIfConflict(name)),

    async stage(name, blockId, body) {
      try {
        const id = Buffer.from(blockId).toString('base64')
        await writing(() => container.getBlockBlobClient(name).stageBlock(id, body, body.length))
      } catch (error) {
        throw toStorageError(error, name)
      }
    },

    commit: (name, blockIds, { metadata, contentType = 'application/json' } = {}) =>
      attempt<boolean>(async () => {
        const ids = blockIds.map(id => Buffer.from(id).toString('base64'))
        await container.getBlockBlobClient(name).commitBlockList(ids, {
          conditions: { ifNoneMatch: '*' },
          ...(metadata === undefined ? {} : { metadata }),
          blobHTTPHeaders: { blobContentType: contentType },
        })
        return true
      }, falseIfConflict(name)),

    remove: name =>
      attempt<void>(async () => {
        await container.getBlobClient(name).deleteIfExists({ deleteSnapshots: 'include' })
      }, undefinedIfMissing(name)),

    async *list(prefix) {
      try {
        for await (const { name, properties, metadata = {} } of container.listBlobsFlat({
          prefix,
          includeMetadata: true,
        })) {
          yield { name, etag: properties.etag, bytes: properties.contentLength ?? 0, metadata }
        }
      } catch (error) {
        undefinedIfMissing(prefix)(error)
      }
    },

    async *listFolders(folder) {
      try {
        for await (const item of container.listBlobsByHierarchy('/', { prefix: folder })) {
          if (item.kind === 'prefix') yield item.name
        }
      } catch (error) {
        undefinedIfMissing(folder)(error)
      }
    },
  }
}
