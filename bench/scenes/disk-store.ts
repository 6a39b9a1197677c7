import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import type { BlobInfo, Store } from '../../shared/snapshots/storage/store.ts'

/** A snapshot container in a folder, so that stored blobs take no memory of the measured process. */
export function createDiskStore(folder: string): Store {
  const fileOf = (name: string) => `${folder}/${name.replaceAll('/', '~')}`
  const blobs = () =>
    readdirSync(folder)
      .filter(file => !/\.(meta|block)$/.test(file))
      .map(file => file.replaceAll('~', '/'))
      .sort()
  const info = (name: string): BlobInfo => ({
    name,
    etag: '"1"',
    bytes: statSync(fileOf(name)).size,
    metadata: existsSync(`${fileOf(name)}.meta`)
      ? (JSON.parse(readFileSync(`${fileOf(name)}.meta`, 'utf8')) as Record<string, string>)
      : {},
  })

  return {
    head: async name => (existsSync(fileOf(name)) ? info(name) : undefined),
    async read(name, range) {
      if (!existsSync(fileOf(name))) return undefined
      const found = info(name)
      const { offset = 0, length = found.bytes } = range ?? {}
      const body = Buffer.alloc(Math.max(0, Math.min(length, found.bytes - offset)))
      const file = openSync(fileOf(name), 'r')
      readSync(file, body, 0, body.length, offset)
      closeSync(file)
      return { body, info: found }
    },
    async write(name, body, { absent, metadata } = {}) {
      if (absent === true && existsSync(fileOf(name))) return false
      writeFileSync(fileOf(name), body)
      if (metadata !== undefined) writeFileSync(`${fileOf(name)}.meta`, JSON.stringify(metadata))
      return '"1"'
    },
    async stage(name, _, body) {
      appendFileSync(`${fileOf(name)}.block`, body)
    },
    async commit(name, _, { metadata = {} } = {}) {
      if (existsSync(fileOf(name))) return false
      writeFileSync(fileOf(name), readFileSync(`${fileOf(name)}.block`))
      unlinkSync(`${fileOf(name)}.block`)
      writeFileSync(`${fileOf(name)}.meta`, JSON.stringify(metadata))
      return true
    },
    async remove(name) {
      for (const file of [fileOf(name), `${fileOf(name)}.meta`]) if (existsSync(file)) unlinkSync(file)
    },
    async *list(prefix) {
      for (const name of blobs().filter(each => each.startsWith(prefix))) yield info(name)
    },
    async *listFolders(parent) {
      const below = blobs()
        .filter(name => name.startsWith(parent))
        .map(name => name.slice(parent.length))
      const names = below.filter(name => name.includes('/')).map(name => name.slice(0, name.indexOf('/') + 1))
      for (const name of new Set(names)) yield parent + name
    },
  }
}
