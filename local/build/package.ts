import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { type Zippable, zipSync } from 'fflate'
import { buildApp, root } from './bundle.ts'

/** The default folder of the package. */
export const packageTarget = `${root}.local`

export type Package = { folder: string; zip: string; files: string[]; bytes: number }

/** The first date that a zip can have. With a fixed date, equal apps have equal bytes. */
const date = new Date(1980, 0, 1)
const unix = 3
const readableFile = 0o100644 << 16

/**
 * `npm run package`: writes the deployable files, and nothing else, to a folder: the bundle, `host.json` and a
 * `package.json` that names the entry file. Also writes them to a zip. azd deploys the folder, and `az` the zip.
 */
export async function packageApp(target = packageTarget): Promise<Package> {
  const folder = join(target, 'package')
  const zip = join(target, 'app.zip')
  const { name, version, type, main } = JSON.parse(await readFile(`${root}package.json`, 'utf8')) as Record<
    string,
    string
  >
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await buildApp(join(folder, dirname(main ?? '')))
  await copyFile(`${root}host.json`, join(folder, 'host.json'))
  await writeFile(join(folder, 'package.json'), `${JSON.stringify({ name, version, type, main }, null, 2)}\n`)

  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries
    .filter(entry => entry.isFile())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
    .toSorted()
  const contents: Zippable = {}
  for (const file of files) {
    contents[file] = [await readFile(join(folder, file)), { mtime: date, os: unix, attrs: readableFile, level: 9 }]
  }
  const bytes = zipSync(contents)
  await writeFile(zip, bytes)
  return { folder, zip, files, bytes: bytes.length }
}
