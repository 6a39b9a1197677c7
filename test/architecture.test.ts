import { readdir, readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../local/build/bundle.ts'

type Source = { path: string; lines: string[]; imports: { path: string; typeOnly: boolean }[] }

const folders = ['functions', 'shared', 'local', 'bench', 'infra']

async function readSources(): Promise<Source[]> {
  const paths = (
    await Promise.all(
      folders.map(async folder =>
        (await readdir(join(root, folder), { recursive: true })).map(name => `${folder}/${name.replaceAll('\\', '/')}`),
      ),
    )
  )
    .flat()
    .filter(path => path.endsWith('.ts'))
  return Promise.all(
    paths.map(async path => {
      const text = await readFile(join(root, path), 'utf8')
      const imports = [
        ...text.matchAll(/^(?:import|export) (type )?[^'"]*?from '([^']+)'/gm),
        ...text.matchAll(/^import (type )?'([^']+)'/gm),
        ...text.matchAll(/(?:)()import\('([^']+)'\)/g),
      ].map(([, type, target]) => ({ path: resolve(path, target ?? ''), typeOnly: Boolean(type) }))
      return { path, lines: text.split('\n'), imports }
    }),
  )
}

/** A relative import as a path from the root, or the name of a package. */
const resolve = (from: string, target: string): string =>
  target.startsWith('.') ? posix.join(from, '..', target) : target

const sources = await readSources()

/** The rooms by the start of their paths, and the rooms that each can import. */
const arrows: Record<string, string[]> = {
  'functions/': ['shared/', '@azure/functions'],
  // The rooms of HTTP: input (parameters), lists in pages, output (responses), and the wrapper of all functions.
  'shared/http/parameters/': [
    'shared/http/parameters/',
    'shared/orders/timestamp.ts',
    'shared/snapshots/storage/layout.ts',
    'shared/snapshots/storage/shapes.ts',
    'shared/errors.ts',
    '@azure/functions',
    'zod',
  ],
  'shared/http/paging/': [
    'shared/http/paging/',
    'shared/http/parameters/',
    'shared/errors.ts',
    '@azure/functions',
    'zod',
    'node:',
  ],
  'shared/http/responses/': [
    'shared/http/responses/',
    'shared/http/paging/',
    'shared/http/parameters/',
    'shared/orders/',
    'shared/partner-center/',
    'shared/snapshots/',
    'shared/report/',
    'shared/credentials/',
    'shared/app.ts',
    'shared/runtime/',
    'shared/errors.ts',
    '@azure/functions',
    'zod',
    'node:',
  ],
  'shared/http/route/': [
    'shared/http/route/',
    'shared/http/parameters/',
    'shared/app.ts',
    'shared/runtime/',
    'shared/errors.ts',
    '@azure/functions',
    'node:',
  ],
  'shared/orders/': ['shared/orders/', 'shared/partner-center/', 'shared/runtime/', 'shared/errors.ts', 'zod', 'node:'],
  'shared/customers/': ['shared/customers/', 'shared/partner-center/', 'shared/runtime/', 'shared/errors.ts'],
  'shared/following/': [
    'shared/following/',
    'shared/orders/timestamp.ts',
    'shared/partner-center/',
    'shared/runtime/',
    'zod',
  ],
  // The rooms of a snapshot: storage at the bottom, changes and reading above it, then the life of a run. snapshots.ts
  // wires them.
  'shared/snapshots/storage/': [
    'shared/snapshots/storage/',
    'shared/orders/',
    'shared/partner-center/collection.ts',
    'shared/runtime/',
    'shared/errors.ts',
    'shared/settings',
    'hyparquet-writer',
    '@azure/storage-blob',
    '@azure/storage-queue',
    '@azure/identity',
    'zod',
    'node:',
  ],
  'shared/snapshots/changes/': [
    'shared/snapshots/changes/',
    'shared/snapshots/storage/',
    'shared/orders/',
    'shared/runtime/',
    'zod',
    'node:',
  ],
  'shared/snapshots/reading/': [
    'shared/snapshots/reading/',
    'shared/snapshots/storage/',
    'shared/partner-center/collection.ts',
    'shared/runtime/',
    'shared/errors.ts',
    'node:',
  ],
  'shared/snapshots/run/': [
    'shared/snapshots/run/',
    'shared/snapshots/changes/',
    'shared/snapshots/storage/',
    'shared/following/',
    'shared/rate-limit/',
    'shared/orders/',
    'shared/partner-center/',
    'shared/runtime/',
    'shared/errors.ts',
    'zod',
    'node:',
  ],
  // The report reads the blobs of a run. snapshots.ts wires it, and no room of the snapshots imports it.
  'shared/report/': [
    'shared/report/',
    'shared/snapshots/storage/',
    'shared/snapshots/reading/',
    'shared/orders/',
    'shared/runtime/',
    'shared/errors.ts',
    'd3-scale',
    'hyparquet',
    'zod',
    'node:',
  ],
  'shared/snapshots/': [
    'shared/snapshots/',
    'shared/report/',
    'shared/following/',
    'shared/rate-limit/',
    'shared/orders/',
    'shared/partner-center/',
    'shared/runtime/',
    'shared/errors.ts',
    'shared/clouds.ts',
    'shared/settings',
  ],
  'shared/rate-limit/': ['shared/rate-limit/', 'shared/runtime/', 'zod'],
  'shared/credentials/': [
    'shared/credentials/',
    'shared/runtime/',
    'shared/partner-center/',
    'shared/errors.ts',
    'shared/settings.ts',
    '@azure/identity',
    '@azure/keyvault-secrets',
    '@azure/msal-node',
    'node-forge',
    'zod',
    'node:',
  ],
  'shared/partner-center/': ['shared/partner-center/', 'shared/runtime/', 'shared/errors.ts', 'undici', 'zod', 'node:'],
  'shared/openapi/': [
    'shared/openapi/',
    'shared/http/',
    'shared/orders/',
    'shared/snapshots/storage/shapes.ts',
    'shared/errors.ts',
    'zod',
    'node:',
  ],
  'shared/runtime/': ['shared/runtime/', 'shared/errors.ts', 'undici', '@azure/core-', 'node:'],
  'shared/settings': ['shared/settings/', 'shared/clouds.ts', 'shared/errors.ts', 'zod'],
  'shared/formats/': [],
  'shared/errors.ts': [],
}

/** Rooms that every room can import. */
const common = ['shared/formats/']

const roomOf = (path: string) => Object.keys(arrows).find(room => path.startsWith(room))

test.each(sources.filter(({ path }) => roomOf(path) !== undefined))(
  '$path has only imports that its room allows',
  ({ path, imports }) => {
    const allowed = arrows[roomOf(path) ?? ''] ?? []
    const strangers = imports.filter(target => ![...allowed, ...common].some(prefix => target.path.startsWith(prefix)))
    expect(strangers).toEqual([])
  },
)

test('every file of shared/ is in a known room or in the list of common files', () => {
  const known = ['app.ts', 'readers.ts', 'background.ts', 'start.ts', 'clouds.ts'].map(name => `shared/${name}`)
  const lost = sources.filter(
    ({ path }) => path.startsWith('shared/') && roomOf(path) === undefined && !known.includes(path),
  )
  expect(lost.map(({ path }) => path)).toEqual([])
})

test('nothing that production loads imports from local/, test/ or bench/', () => {
  const production = sources.filter(({ path }) => /^(functions|shared)\//.test(path))
  const strays = production.filter(({ imports }) =>
    imports.some(({ path }) => /^(local|test|bench|infra)\//.test(path)),
  )
  expect(strays.map(({ path }) => path)).toEqual([])
})

test('only shared/settings.ts reads the environment', () => {
  const readers = sources.filter(
    ({ path, lines }) => /^(functions|shared)\//.test(path) && lines.some(line => line.includes('process.env')),
  )
  expect(readers.map(({ path }) => path)).toEqual(['shared/settings.ts'])
})

test('the entry file does not import SDKs, undici or zod statically', () => {
  const heavy = /^(zod|undici|hyparquet|d3-|@azure\/(?!functions$))/
  const byPath = new Map(sources.map(source => [source.path, source]))
  const dynamic = (source: Source, target: string) =>
    source.lines.some(line =>
      [...line.matchAll(/import\('([^']+)'\)/g)].some(([, name = '']) => resolve(source.path, name) === target),
    )
  const visited = new Set<string>()
  const reached = new Set<string>()
  const visit = (path: string) => {
    if (visited.has(path)) return
    visited.add(path)
    const source = byPath.get(path)
    for (const { path: target, typeOnly } of source?.imports ?? []) {
      if (typeOnly || (source !== undefined && dynamic(source, target))) continue
      if (heavy.test(target)) reached.add(`${path} → ${target}`)
      visit(target)
    }
  }
  for (const { path } of sources) if (path.startsWith('functions/') || path === 'shared/start.ts') visit(path)
  expect([...reached]).toEqual([])
})

test('files stay small: none over 350 lines, few over 200, and none with a name for anything', () => {
  const sized = sources.map(({ path, lines }) => ({ path, length: lines.length }))
  expect(sized.filter(({ length }) => length > 350)).toEqual([])
  expect(sized.filter(({ length }) => length > 200).length).toBeLessThan(sized.length / 10)
  expect(sized.filter(({ path }) => /(utils?|helpers?|manager|service)\.ts$/.test(path))).toEqual([])
})
