import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, formatMessages, type Plugin } from 'esbuild'

export type Built = { files: number; bytes: number }

/** The folder of the project, with a slash at the end. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Bundles the app into `dist/`. One entry loads all functions. Their dynamic imports are separate files, so that a cold
 * start reads only what it needs. The worker supplies `@azure/functions-core` by patching `require`, so the bundle has
 * the banner (github.com/Azure/azure-functions-nodejs-library/issues/201).
 */
export async function buildApp(outdir = `${root}dist`): Promise<Built> {
  const files = (await readdir(`${root}functions`)).filter(name => name.endsWith('.ts')).sort()
  return bundle(['./shared/start.ts', ...files.map(name => `./functions/${name}`)], outdir)
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
 * Bundles modules with one entry, `main.js`. Only changed files are written, each in one step, so that a host on an
 * equal build always finds its files while another host is started.
 */
export async function bundle(modules: string[], outdir: string): Promise<Built> {
  const { outputFiles, warnings } = await build({
    stdin: {
      contents: modules.map(path => `import ${JSON.stringify(path)}`).join('\n'),
      resolveDir: root,
      sourcefile: 'main.ts',
    },
    outdir,
    entryNames: 'main',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
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
    plugins: [englishZod],
    write: false,
  })
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
