import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { root } from '../local/build/bundle.ts'

type Entry = { version: string; resolved?: string; optionalDependencies?: Record<string, string> }

const { packages } = JSON.parse(await readFile(`${root}package-lock.json`, 'utf8')) as {
  packages: Record<string, Entry>
}

/** npm omits packages that its registry did not serve when the file was written. `npm ci` then fails elsewhere. */
test('the lock file names the packages of every platform', () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      name => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
    ),
  )
  expect(missing).toEqual([])
})

test('the lock file names no registry', () => {
  expect(Object.values(packages).filter(({ resolved }) => resolved !== undefined)).toEqual([])
})
