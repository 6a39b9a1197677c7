import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { unzipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../../../local/build/bundle.ts'
import { type Package, packageApp } from '../../../local/build/package.ts'
import { startHost } from '../../../local/host/host.ts'

let folder: string
let made: Package

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'package-'))
  made = await packageApp(folder)
})
afterAll(() => rm(folder, { recursive: true }))

/** Extracts the zip into an empty folder and returns the names of its files. */
async function unpack(into: string): Promise<string[]> {
  const contents = unzipSync(await readFile(made.zip))
  for (const [name, bytes] of Object.entries(contents)) {
    await mkdir(dirname(join(into, name)), { recursive: true })
    await writeFile(join(into, name), bytes)
  }
  return Object.keys(contents)
}

describe('the package', () => {
  test('the package contains the bundle, host.json and package.json, and nothing else', async () => {
    const names = await unpack(join(folder, 'list'))
    expect(names).toEqual(made.files)
    const others = names.filter(name => !/^dist\/(main|chunks\/[\w.-]+)\.js$/.test(name))
    expect(others).toEqual(['host.json', 'package.json'])
    expect(names).toContain('dist/main.js')
    expect((await readdir(made.folder)).toSorted()).toEqual(['dist', 'host.json', 'package.json'])
  })

  test('the package names its entry file and has no dependencies', async () => {
    const { main, type, version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<
      string,
      string
    >
    expect(JSON.parse(await readFile(join(made.folder, 'package.json'), 'utf8'))).toEqual({
      name: 'partner-center-orders',
      version,
      type,
      main,
    })
    expect(await readFile(join(made.folder, 'host.json'))).toEqual(await readFile(join(root, 'host.json')))
  })

  test('the package runs unpacked in an empty folder, with every function', async () => {
    const empty = join(folder, 'empty')
    await unpack(empty)
    const host = await startHost({ appFolder: empty, port: 0, writeLog: () => undefined })
    try {
      const files = await readdir(join(root, 'functions'))
      expect(host.functions).toEqual(files.map(file => file.replace(/\.ts$/, '')).toSorted())
      expect(await (await fetch(`${host.url}/api/health`)).json()).toEqual({ status: 'ok' })
    } finally {
      await host.stop()
    }
  })

  test('a repeated package has the same bytes, in any time zone', async () => {
    const again = join(folder, 'again')
    const env = { ...process.env, TZ: 'Pacific/Chatham' }
    const script = `import { packageApp } from './local/build/package.ts'; await packageApp(${JSON.stringify(again)})`
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { cwd: root, env })
    expect((await readFile(join(again, 'app.zip'))).equals(await readFile(made.zip))).toBe(true)
  })

  test('the package contains no files of an earlier one', async () => {
    await writeFile(join(made.folder, 'left-over.js'), '')
    const { files } = await packageApp(folder)
    expect(files).not.toContain('left-over.js')
    expect(await readdir(made.folder)).not.toContain('left-over.js')
  })
})
