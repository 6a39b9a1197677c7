import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../../local/build/bundle.ts'
import { deploy, parametersOf } from './bicep/deployment.ts'
import { faultsOf } from './bicep/faults.ts'
import type { Cloud } from './bicep/functions.ts'
import { parameterFiles, templates } from './bicep/stack.ts'
import { templateOf } from './bicep/syntax.ts'
import { readTemplate } from './bicep/template.ts'

/** The environment that azd gives its parameter file. */
const azd = {
  PARTNER_CENTER_TENANT_ID: '00000000-0000-0000-0000-000000000001',
  PARTNER_CENTER_CLIENT_ID: '00000000-0000-0000-0000-000000000002',
}

/** Parameter files for another cloud than the public one. */
const clouds: Record<string, Cloud> = { usgov: 'AzureUSGovernment', china: 'AzureChinaCloud' }

const deployFile = (file: string, env: Record<string, string>) => {
  const path = join(root, file)
  const world = { cloud: clouds[basename(file, '.bicepparam')] ?? 'AzureCloud', env }
  return deploy(readTemplate(join(dirname(path), templateOf(path))), parametersOf(path, world), world)
}

describe('the templates', () => {
  test('name what there is and nothing in vain', () => {
    const faults = templates.flatMap(template => faultsOf(template).map(fault => `${basename(template.file)} ${fault}`))
    expect(faults).toEqual([])
  })

  test('are one: each module is part of it', () => {
    const used = new Set(
      templates.flatMap(({ symbols }) =>
        [...symbols.values()].flatMap(symbol => ('path' in symbol ? [basename(symbol.path)] : [])),
      ),
    )
    expect([...used, 'main.bicep'].toSorted()).toEqual(templates.map(({ file }) => basename(file)).toSorted())
  })
})

describe('a parameter file', () => {
  test.each(parameterFiles)('%s asks for what can be deployed', file => {
    const { resources, outputs } = deployFile(file, azd)
    const names = resources.map(({ type, name, scope }) => `${type} ${scope} ${name}`.toLowerCase())
    expect(names).toEqual([...new Set(names)])
    expect(names.filter(name => name.startsWith('microsoft.web/sites '))).toHaveLength(1)
    expect(outputs.APP_URL).toMatch(/^https:\/\/orders-/)
  })

  test('of azd demands who the partner is before anything is deployed', () => {
    const { PARTNER_CENTER_TENANT_ID: _, ...env } = azd
    expect(() => deployFile('infra/main.bicepparam', env)).toThrow('PARTNER_CENTER_TENANT_ID')
  })
})

describe('a fault', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bicep-'))
    await writeFile(
      join(folder, 'inner.bicep'),
      'param wanted string\nparam other int = 1\noutput both array = [wanted, other]\n',
    )
  })
  afterAll(() => rm(folder, { recursive: true }))

  const moduleWith = (params: string): string => `module m 'inner.bicep' = {\n  params: {\n    ${params}\n  }\n}\n`

  test.each([
    ['a name', 'output value string = undeclared\n', '1,23: nothing is named undeclared'],
    ['a function', 'output value string = guess()\n', '1,23: there is no function guess'],
    ['an idle parameter', "param idle string = ''\n", 'nothing uses idle'],
    ['an idle variable', 'var idle = 1\n', 'nothing uses idle'],
    ['an idle resource', "resource idle 'Some/thing@2024-01-01' existing = {\n  name: 'x'\n}\n", 'nothing uses idle'],
    ["a module's parameter", moduleWith("wanted: 'x'\n    more: 1"), 'm takes no more'],
    ['a missing parameter', moduleWith('other: 2'), 'm lacks wanted'],
  ])('such as %s is found', async (name, text, fault) => {
    const file = join(folder, `${name}.bicep`)
    await writeFile(file, text)
    expect(faultsOf(readTemplate(file))).toEqual([fault])
  })

  test.each([
    ['syntax', 'param = 1\n', {}, 'not Bicep'],
    ['a value that is not allowed', "@allowed(['a'])\nparam p string\n", { p: 'b' }, 'the parameter p may not be "b"'],
    ['a value out of bounds', '@maxValue(3)\nparam p int\n', { p: 4 }, 'the parameter p may not be 4'],
    ['a value of another type', 'param p int\n', { p: '4' }, 'the parameter p is not of type int'],
    ['a parameter left out', 'param p int\n', {}, 'the parameter p is missing'],
    ['a parameter made up', 'param p int = 1\n', { q: 1 }, 'q is not a parameter'],
  ])('of %s ends a deployment', async (name, text, given, message) => {
    const file = join(folder, `${name}.bicep`)
    await writeFile(file, text)
    expect(() => deploy(readTemplate(file), given, { cloud: 'AzureCloud', env: {} })).toThrow(message)
  })
})
