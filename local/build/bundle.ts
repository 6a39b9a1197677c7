import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build, formatMessages, type Metafile, type Plugin } from 'esbuild'

export type Built = { files: number; bytes: number }

/** The folder of the project, with a slash at the end. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Bundles the app into `dist/`. One entry loads all functions, and everything they import dynamically is split off, so
 * that a cold start reads what it needs and no more. The worker supplies `@azure/functions-core` by patching `require`,
 * hence the banner (github.com/Azure/azure-functions-nodejs-library/issues/201).
 */
export async function buildApp(outdir = `${root}dist`): Promise<Built> {
  const files = (await readdir(`${root}functions`)).filter(name => name.endsWith('.ts')).sort()
  return bundle(['./shared/start.ts', ...files.map(name => `./functions/${name}`)], outdir)
}

/** zod's messages in 50 languages are half of its size and loaded with it. Only English is used, and only in logs. */
const englishZod: Plugin = {
  name: 'english-zod',
  setup(build) {
    build.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js'",
    }))
  },
}

/**
 * undici's entry loads all of it: fetch, WebSocket, caches, mocks. CommonJS cannot be shaken, so the bundle gets an entry
 * with the names that the app imports.
 */
const smallUndici: Plugin = {
  name: 'small-undici',
  setup(build) {
    build.onLoad({ filter: /[\\/]node_modules[\\/]undici[\\/]index\.js$/ }, () => ({
      contents: `
        Object.assign(require('./lib/dispatcher/dispatcher').prototype, require('./lib/api'))
        exports.Agent = require('./lib/dispatcher/agent')
        exports.interceptors = {
          dns: require('./lib/interceptor/dns'),
          decompress: require('./lib/interceptor/decompress'),
        }`,
    }))
  },
}

const common = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  external: ['@azure/functions-core'],
  banner: { js: "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)" },
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  // A failure is thrown with its reasons; it is for the caller to show.
  logLevel: 'silent',
  metafile: true,
  write: false,
} satisfies BuildOptions

type Contents = { entry: string[]; lazy: string[] }

/** Modules of the app that the entry needs at once, and the others that are imported dynamically. */
function contentsOf({ outputs }: Metafile): Contents {
  const inEntry = new Set<string>()
  const take = (name: string) => {
    for (const input of Object.keys(outputs[name]?.inputs ?? {})) inEntry.add(input)
    for (const { path, kind } of outputs[name]?.imports ?? []) if (kind === 'import-statement') take(path)
  }
  for (const [name, { entryPoint }] of Object.entries(outputs)) if (entryPoint === entryName) take(name)
  const isOwn = (path: string) => path !== entryName && !path.includes('node_modules')
  const entryPoints = Object.values(outputs).flatMap(({ entryPoint }) => entryPoint ?? [])
  return {
    entry: [...inEntry].filter(isOwn),
    lazy: entryPoints.filter(path => path !== entryName && !inEntry.has(path)),
  }
}

/** In a chunk: what the entry has is imported from there, so that there is one of each error class and each cache. */
const fromEntry = (entry: readonly string[]): Plugin => ({
  name: 'from-entry',
  setup(build) {
    const paths = new Set(entry.map(path => resolve(root, path)))
    build.onResolve({ filter: /^\./ }, ({ kind, resolveDir, path }) =>
      kind !== 'entry-point' && paths.has(resolve(resolveDir, path))
        ? { path: '../main.js', external: true }
        : undefined,
    )
  },
})

/** In the entry: what is imported dynamically is in a chunk. */
const fromChunks = ({ outputs }: Metafile): Plugin => ({
  name: 'from-chunks',
  setup(build) {
    const chunks = new Map(
      Object.entries(outputs).flatMap(([name, { entryPoint }]): [string, string][] =>
        entryPoint === undefined ? [] : [[resolve(root, entryPoint), `./chunks/${basename(name)}`]],
      ),
    )
    build.onResolve({ filter: /./ }, async ({ kind, path, pluginData, ...from }) => {
      if (kind !== 'dynamic-import' || pluginData === chunks) return undefined
      const found = await build.resolve(path, { ...from, kind, pluginData: chunks })
      const chunk = chunks.get(found.path)
      return chunk === undefined ? undefined : { path: chunk, external: true }
    })
  },
})

const entryName = 'main.ts'

/**
 * Bundles modules behind one entry, `main.js`. Only files that differ are written, each in one step, so that a host that
 * runs on an equal build never misses a chunk while another host is started.
 *
 * esbuild puts whatever the entry and chunks have in common into further chunks, and each file costs most of a millisecond
 * at a start. So a first build only tells what is in the entry, and in the second the chunks import that from the entry.
 */
export async function bundle(modules: string[], outdir: string): Promise<Built> {
  const options = { ...common, plugins: [englishZod, smallUndici] }
  const entryOf = (lines: string[]) => ({
    stdin: { contents: lines.join('\n'), resolveDir: root, sourcefile: entryName },
    entryNames: 'main',
    outdir,
  })
  const imports = modules.map(path => `import ${JSON.stringify(path)}`)
  const { metafile } = await build({ ...options, ...entryOf(imports), splitting: true })
  const { entry, lazy } = contentsOf(metafile)
  const chunks = await build({
    ...options,
    entryPoints: lazy,
    outdir: `${outdir}/chunks`,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    splitting: true,
    plugins: [fromEntry(entry), ...options.plugins],
  })
  const main = await build({
    ...options,
    ...entryOf([...imports, ...entry.map(path => `export * from ${JSON.stringify(`./${path}`)}`)]),
    plugins: [fromChunks(chunks.metafile), ...options.plugins],
  })
  const outputFiles = [...main.outputFiles, ...chunks.outputFiles]
  const warnings = [...main.warnings, ...chunks.warnings]
  for (const text of await formatMessages(warnings, { kind: 'warning' })) console.error(text)
  await mkdir(`${outdir}/chunks`, { recursive: true })
  for (const { path, contents } of outputFiles) {
    const present = await readFile(path).catch(() => undefined)
    if (present?.equals(contents)) continue
    await writeFile(`${path}.${process.pid}`, contents)
    await rename(`${path}.${process.pid}`, path)
  }
  const made = new Set(outputFiles.map(({ path }) => basename(path)))
  for (const name of await readdir(`${outdir}/chunks`)) {
    if (name.endsWith('.js') && !made.has(name)) await rm(`${outdir}/chunks/${name}`, { force: true })
  }
  return { files: outputFiles.length, bytes: outputFiles.reduce((sum, { contents }) => sum + contents.length, 0) }
}
