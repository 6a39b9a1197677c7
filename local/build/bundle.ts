import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build, formatMessages, type Metafile, type Plugin } from 'esbuild'

export type Built = { files: number; bytes: number }

/** Where source maps go: to another folder, so that what is deployed has none, or beside the bundle for a debugger. */
export type SourceMaps = { folder: string } | 'beside'

/** The folder of the project, with a slash at the end. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Bundles the app into `dist/`. One entry loads all functions. Their dynamic imports are separate files, so that a cold
 * start reads only what it needs. The worker supplies `@azure/functions-core` by patching `require`, so the bundle has
 * the banner (github.com/Azure/azure-functions-nodejs-library/issues/201).
 */
export async function buildApp(outdir = `${root}dist`, sourceMaps?: SourceMaps): Promise<Built> {
  const files = (await readdir(`${root}functions`)).filter(name => name.endsWith('.ts')).sort()
  return bundle(['./shared/start.ts', ...files.map(name => `./functions/${name}`)], outdir, sourceMaps)
}

/** Removes zod's messages in 50 languages, which are half of its size. Only English is used, and only in logs. */
const englishZod: Plugin = {
  name: 'english-zod',
  setup(build) {
    build.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js'",
    }))
  },
}

/**
 * The entry of undici loads all of it: fetch, WebSocket, caches and mocks. esbuild cannot shake CommonJS, so the bundle
 * gets an entry with the names that the app imports.
 */
const smallUndici: Plugin = {
  name: 'small-undici',
  setup(build) {
    build.onLoad({ filter: /[\\/]node_modules[\\/]undici[\\/]index\.js$/ }, () => ({
      contents: `
        Object.assign(require('./lib/dispatcher/dispatcher').prototype, require('./lib/api'))
        exports.Agent = require('./lib/dispatcher/agent')
        exports.errors = require('./lib/core/errors')
        exports.interceptors = {
          dns: require('./lib/interceptor/dns'),
          decompress: require('./lib/interceptor/decompress'),
        }`,
    }))
  },
}

/**
 * Modules whose code is not needed at a start, or never. undici has its WebAssembly twice, with and without SIMD, and
 * every platform of Azure has SIMD. MSAL signs with jsonwebtoken only for a certificate.
 */
const rarelyNeeded: Plugin = {
  name: 'rarely-needed',
  setup(build) {
    build.onLoad({ filter: /[\\/]undici[\\/]lib[\\/]llhttp[\\/]llhttp-wasm\.js$/ }, () => ({
      contents: "module.exports = require('./llhttp_simd-wasm.js')",
    }))
    build.onLoad({ filter: /[\\/]undici[\\/]lib[\\/]milo[\\/]no-simd\.js$/ }, () => ({
      contents: "module.exports = require('./simd.js')",
    }))
    build.onLoad({ filter: /[\\/]node_modules[\\/]jsonwebtoken[\\/]index\.js$/ }, () => ({
      contents: "module.exports = { get sign() { return require('./sign') } }",
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
  // A failure is thrown with its reasons. The caller shows it.
  logLevel: 'silent',
  metafile: true,
  write: false,
} satisfies BuildOptions

type Contents = { entry: string[]; lazy: string[] }

/** The modules of the app that the entry needs at the start, and the others that are imported dynamically. */
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

/** Makes chunks import modules of the entry from the entry, so that each error class and each cache exists once. */
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

/** Makes the entry import dynamic modules from their chunks. */
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
 * Bundles modules with one entry, `main.js`. Only changed files are written, each in one step, so that a host on an
 * equal build always finds its files while another host is started.
 *
 * esbuild moves the common modules of the entry and the chunks to further chunks, and each file takes almost a
 * millisecond at the start. So a first build only finds the modules of the entry, and in a second build the chunks import
 * these modules from the entry.
 */
export async function bundle(modules: string[], outdir: string, sourceMaps?: SourceMaps): Promise<Built> {
  // Names in the source maps are relative to it, so that equal apps are equal bytes wherever they are written to.
  const planned = `${root}dist`
  const options = {
    ...common,
    plugins: [englishZod, smallUndici, rarelyNeeded],
    ...(sourceMaps === undefined
      ? {}
      : { sourcemap: sourceMaps === 'beside' ? ('linked' as const) : ('external' as const) }),
  }
  const entryOf = (lines: string[]) => ({
    stdin: { contents: lines.join('\n'), resolveDir: root, sourcefile: entryName },
    entryNames: 'main',
    outdir: planned,
  })
  const imports = modules.map(path => `import ${JSON.stringify(path)}`)
  const { metafile } = await build({ ...options, ...entryOf(imports), splitting: true })
  const { entry, lazy } = contentsOf(metafile)
  const chunks = await build({
    ...options,
    entryPoints: lazy,
    outdir: `${planned}/chunks`,
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
  const isMap = (path: string): boolean => path.endsWith('.map')
  const targetOf = (path: string): string =>
    join(isMap(path) && typeof sourceMaps === 'object' ? sourceMaps.folder : outdir, relative(planned, path))
  for (const text of await formatMessages(warnings, { kind: 'warning' })) console.error(text)
  await mkdir(`${outdir}/chunks`, { recursive: true })
  if (typeof sourceMaps === 'object') await mkdir(join(sourceMaps.folder, 'chunks'), { recursive: true })
  for (const { path: made, contents } of outputFiles) {
    const path = targetOf(made)
    const present = await readFile(path).catch(() => undefined)
    if (present?.equals(contents)) continue
    await writeFile(`${path}.${process.pid}`, contents)
    await rename(`${path}.${process.pid}`, path)
  }
  const made = new Set(outputFiles.map(({ path }) => basename(targetOf(path))))
  for (const name of await readdir(`${outdir}/chunks`)) {
    if (/\.js(\.map)?$/.test(name) && !made.has(name)) await rm(`${outdir}/chunks/${name}`, { force: true })
  }
  if (!made.has('main.js.map')) await rm(join(outdir, 'main.js.map'), { force: true })
  const scripts = outputFiles.filter(({ path }) => !isMap(path))
  return { files: scripts.length, bytes: scripts.reduce((sum, { contents }) => sum + contents.length, 0) }
}
