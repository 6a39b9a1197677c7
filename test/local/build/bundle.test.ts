import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { buildApp, bundle, root } from '../../../local/build/bundle.ts'

let outdir: string

beforeEach(async () => {
  outdir = await mkdtemp(join(tmpdir(), 'build-'))
})
afterEach(() => rm(outdir, { recursive: true }))

/** Every file with the time of its last write. */
async function snapshot(): Promise<Record<string, string>> {
  const names = (await readdir(outdir, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile())
  const entries = names.map(async ({ parentPath, name }): Promise<[string, string]> => {
    const { mtimeNs, ino } = await stat(join(parentPath, name), { bigint: true })
    return [join(parentPath, name).slice(outdir.length + 1), `${mtimeNs} ${ino}`]
  })
  return Object.fromEntries(await Promise.all(entries))
}

const build = () => bundle(['./shared/settings.ts'], outdir)

describe('a build', () => {
  test('a build is one entry file and the files that it loads later', async () => {
    await build()
    const files = Object.keys(await snapshot()).toSorted()
    expect(files.at(-1)).toBe('main.js')
    expect(files.filter(name => /^chunks\/settings-schema-\w+\.js$/.test(name))).toHaveLength(1)
    expect(files.every(name => name === 'main.js' || /^chunks\/[\w-]+\.js$/.test(name))).toBe(true)
  })

  test('a build runs without its sources and packages', async () => {
    await build()
    await writeFile(join(outdir, 'package.json'), '{"type":"module"}')
    const [schema = ''] = (await readdir(join(outdir, 'chunks'))).filter(name => name.startsWith('settings-schema'))
    const { parseSettings } = (await import(pathToFileURL(join(outdir, 'chunks', schema)).href)) as {
      parseSettings: (env: object) => unknown
    }
    expect(() => parseSettings({})).toThrow('PARTNER_CENTER_TENANT_ID is required')
  })

  test('a repeated build writes nothing', async () => {
    await build()
    const before = await snapshot()
    await build()
    expect(await snapshot()).toEqual(before)
  })

  test('a build replaces changed files and removes old ones, and nothing else', async () => {
    await build()
    const before = await snapshot()
    const [chunk = ''] = Object.keys(before).filter(name => name.startsWith('chunks/'))
    const whole = await readFile(join(outdir, chunk), 'utf8')
    await writeFile(join(outdir, chunk), 'broken')
    await writeFile(join(outdir, 'chunks', 'old-ABCDEFGH.js'), 'old')
    await writeFile(join(outdir, 'chunks', 'note.txt'), 'mine')
    await mkdir(join(outdir, 'other'))
    await writeFile(join(outdir, 'other', 'kept.js'), 'mine')
    await build()

    expect(await readFile(join(outdir, chunk), 'utf8')).toBe(whole)
    const after = await snapshot()
    expect(Object.keys(after).toSorted()).toEqual(
      [...Object.keys(before), 'chunks/note.txt', 'other/kept.js'].toSorted(),
    )
    for (const name of Object.keys(before)) if (name !== chunk) expect(after[name]).toBe(before[name])
  })

  test('a failed build keeps the previous one', async () => {
    await build()
    const before = await snapshot()
    await expect(bundle(['./shared/not-there.ts'], outdir)).rejects.toThrow('not-there')
    expect(await snapshot()).toEqual(before)
  })

  test('a build contains the messages of zod only in English', async () => {
    await build()
    const chunks = (await readdir(join(outdir, 'chunks'))).map(name => readFile(join(outdir, 'chunks', name), 'utf8'))
    const code = (await Promise.all(chunks)).join('')
    expect(code).toContain('Invalid input')
    expect(code).not.toContain('Ung\u00fcltige Eingabe')
    expect(code).not.toContain('Ung\\xFCltige Eingabe')
  })

  test('a bundle contains what the app imports from undici', async () => {
    const sources = (await readdir(join(root, 'shared'), { recursive: true })).filter(name => name.endsWith('.ts'))
    const code = (await Promise.all(sources.map(name => readFile(join(root, 'shared', name), 'utf8')))).join('\n')
    const imported = [...code.matchAll(/import \{([^}]*)\} from 'undici'/g)]
      .flatMap(([, names = '']) => names.split(',').map(name => name.trim()))
      .filter(name => !name.startsWith('type '))
    const interceptors = [...code.matchAll(/interceptors\.(\w+)/g)].map(([, name]) => name)
    expect(new Set(imported)).toEqual(new Set(['Agent', 'errors', 'interceptors']))
    expect(new Set(interceptors)).toEqual(new Set(['dns', 'decompress']))
  })

  test('a build of the app contains each module once, in the entry if the entry needs it at the start', async () => {
    await buildApp(outdir)
    const main = await readFile(join(outdir, 'main.js'), 'utf8')
    const exported = new Set(
      /export ?\{([^}]*)\};?\s*$/
        .exec(main)?.[1]
        ?.split(',')
        .map(name => name.split(' as ').at(-1)),
    )
    const chunks = await Promise.all(
      (await readdir(join(outdir, 'chunks'))).map(name => readFile(join(outdir, 'chunks', name), 'utf8')),
    )
    const wanted = chunks.flatMap(code =>
      [...code.matchAll(/import ?\{([^}]*)\} ?from ?"\.\.\/main\.js"/g)].flatMap(([, names = '']) => names.split(',')),
    )
    expect(wanted.length).toBeGreaterThan(20)
    for (const name of wanted) expect(exported).toContain(name.split(' as ')[0])
    const definition = /class AppError|AppError ?= ?class/g
    expect(main.match(definition)).toHaveLength(1)
    expect(chunks.join('\n').match(definition)).toBeNull()
    expect(main.match(/import ?[^(]*?from ?"\.\/chunks/)).toBeNull()
  })

  test('a build of the app contains every function', async () => {
    await buildApp(outdir)
    const text = (
      await Promise.all(Object.keys(await snapshot()).map(name => readFile(join(outdir, name), 'utf8')))
    ).join('\n')
    for (const file of await readdir(join(root, 'functions'))) {
      expect(text).toContain(`"${file.replace(/\.ts$/, '')}"`)
    }
    expect(await readFile(join(outdir, 'main.js'), 'utf8')).toMatch(
      /^import \{ ?createRequire ?\} from ["']node:module["']/,
    )
  })
})
