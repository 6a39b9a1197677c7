import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { root } from '../../local/build/bundle.ts'

type Entry = { license?: string; dev?: boolean; devOptional?: boolean; hasInstallScript?: boolean; version: string }

const readJson = <T>(name: string): T => JSON.parse(readFileSync(`${root}${name}`, 'utf8')) as T
const { packages } = readJson<{ packages: Record<string, Entry> }>('package-lock.json')
const { allowScripts, dependencies, version } = readJson<{
  allowScripts: Record<string, boolean>
  dependencies: Record<string, string>
  version: string
}>('package.json')
const entries = Object.entries(packages)
  .filter(([path]) => path !== '')
  .map(([path, entry]) => ({ name: path.replace(/^.*node_modules\//, ''), ...entry }))

/** Licences under which code may be shipped in the bundle without conditions beyond a notice. */
const shipped = ['MIT', 'ISC', '0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '(BSD-3-Clause OR GPL-2.0)']
/** Tools are not shipped, so that their licences bind only those who change them. */
const used = [...shipped, 'MIT OR Apache-2.0', 'BlueOak-1.0.0', 'MPL-2.0', 'PSF-2.0', '(MIT AND Zlib)']
/** Its licence is a page of its own: public domain, or MIT (github.com/geraintluff/uri-templates). */
const readByHand = ['uri-templates']

test('every package has a licence that allows its use', () => {
  const refused = entries.filter(({ name, license = 'none', dev = false, devOptional = false }) => {
    const allowed = dev || devOptional ? used : shipped
    return !allowed.includes(license) && !readByHand.includes(name)
  })
  expect(refused.map(({ name, license }) => `${name}: ${license}`)).toEqual([])
})

test('every package that would run a script when it is installed was decided on', () => {
  const withScripts = entries.filter(({ hasInstallScript }) => hasInstallScript).map(({ name }) => name)
  expect(Object.keys(allowScripts).toSorted()).toEqual([...new Set(withScripts)].toSorted())
})

test('the bill of materials tells what the bundle is made of from the tools', { timeout: 60_000 }, async () => {
  const npm = process.env.npm_execpath
  const [command, ...before] = npm === undefined ? ['npm'] : [process.execPath, npm]
  const { stdout } = await promisify(execFile)(command ?? 'npm', [...before, 'run', '--silent', 'sbom'], {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
  })
  const { bomFormat, metadata, components } = JSON.parse(stdout) as {
    bomFormat: string
    metadata: { component: { version: string } }
    components: { purl: string; scope: string }[]
  }
  expect([bomFormat, metadata.component.version]).toEqual(['CycloneDX', version])
  const ofScope = (wanted: string): string[] =>
    components.flatMap(({ purl, scope }) => (scope === wanted ? [decodeURIComponent(purl)] : []))
  const required = ofScope('required')
  for (const [name, version] of Object.entries(dependencies)) expect(required).toContain(`pkg:npm/${name}@${version}`)
  expect(ofScope('optional').some(purl => purl.startsWith('pkg:npm/vitest@'))).toBe(true)
  expect(required.some(purl => purl.startsWith('pkg:npm/vitest@'))).toBe(false)
})
