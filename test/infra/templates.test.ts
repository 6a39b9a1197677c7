import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../../local/build/bundle.ts'
import { deploy, parametersOf } from './bicep/deployment.ts'
import { faultsOf } from './bicep/faults.ts'
import type { Cloud } from './bicep/functions.ts'
import { nameFaultsOf } from './bicep/names.ts'
import { parameterFiles, templates } from './bicep/stack.ts'
import { startFaultsOf } from './bicep/start-values.ts'
import { plainText, templateOf } from './bicep/syntax.ts'
import { readTemplate } from './bicep/template.ts'

/** The environment of azd for its parameter file. */
const azd = {
  PARTNER_CENTER_TENANT_ID: '00000000-0000-0000-0000-000000000001',
  PARTNER_CENTER_CLIENT_ID: '00000000-0000-0000-0000-000000000002',
}

/** Parameter files for other clouds than the public one. */
const clouds: Record<string, Cloud> = { usgov: 'AzureUSGovernment', china: 'AzureChinaCloud' }

const deployFile = (file: string, env: Record<string, string>) => {
  const path = join(root, file)
  const world = { cloud: clouds[basename(file, '.bicepparam')] ?? 'AzureCloud', env }
  return deploy(readTemplate(join(dirname(path), templateOf(path))), parametersOf(path, world), world)
}

describe('the templates', () => {
  test('the templates refer only to existing symbols, and use every symbol', () => {
    const faults = templates.flatMap(template =>
      [...faultsOf(template), ...startFaultsOf(template)].map(fault => `${basename(template.file)} ${fault}`),
    )
    expect(faults).toEqual([])
  })

  test('the templates describe each parameter and output in a sentence', () => {
    const silent = templates.flatMap(({ file, symbols }) =>
      [...symbols].flatMap(([name, symbol]) => {
        if (symbol.kind !== 'parameter' && symbol.kind !== 'output') return []
        const description = symbol.rules.get('description')
        const text = description === undefined ? '' : plainText(description)
        return /\w \w/.test(text) ? [] : [`${basename(file)} ${name}`]
      }),
    )
    expect(silent).toEqual([])
  })

  test('the templates use every module', () => {
    const used = new Set(
      templates.flatMap(({ symbols }) =>
        [...symbols.values()].flatMap(symbol => ('path' in symbol ? [basename(symbol.path)] : [])),
      ),
    )
    expect([...used, 'main.bicep'].toSorted()).toEqual(templates.map(({ file }) => basename(file)).toSorted())
  })
})

describe('a parameter file', () => {
  test.each(parameterFiles)('parameter file %s describes a valid deployment', file => {
    const { resources, outputs } = deployFile(file, azd)
    expect(nameFaultsOf(resources)).toEqual([])
    expect(resources.filter(({ type }) => type === 'Microsoft.Web/sites')).toHaveLength(1)
    expect(outputs.APP_URL).toMatch(/^https:\/\/orders-/)
  })

  test.each(parameterFiles)(
    'parameter file %s assigns no role on a secret, because none is stored before the first deployment',
    file => {
      const { resources } = deployFile(file, azd)
      const onSecrets = resources.filter(({ scope }) => scope.includes('/secrets/'))
      expect(onSecrets).toEqual([])
    },
  )

  test.each([
    ['partner-center-client-secret,partner-center-refresh-token', 2],
    [' partner-center-client-secret , partner-center-refresh-token ', 2],
    ['partner-center-client-secret', 1],
    [' ', 0],
  ])('the parameter file of azd reads the stored secrets %j', (STORED_SECRETS, roles) => {
    const env = { ...azd, PARTNER_CENTER_CREDENTIAL: 'refresh-token', STORED_SECRETS }
    const { resources } = deployFile('infra/main.bicepparam', env)
    expect(resources.filter(({ scope }) => scope.includes('/secrets/'))).toHaveLength(roles)
  })

  test('the parameter file of azd takes the signed-in user as the operator, and recovers a vault on request', () => {
    const operator = '00000000-0000-0000-0000-00000000000f'
    const env = { AZURE_PRINCIPAL_ID: operator, AZURE_PRINCIPAL_TYPE: 'ServicePrincipal', RECOVER_VAULT: 'true' }
    const { resources } = deployFile('infra/main.bicepparam', { ...azd, ...env })
    const roles = resources.filter(({ properties }) => properties.principalId === operator)
    expect(roles.map(({ properties }) => properties.principalType)).toEqual(['ServicePrincipal'])
    const vault = resources.find(({ type }) => type === 'Microsoft.KeyVault/vaults')
    expect(vault?.properties.createMode).toBe('recover')
  })

  test('the parameter file of azd requires the partner tenant before a deployment', () => {
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
      `param wanted string
param other int = 1
@allowed(['a', 'b'])
param letter string = 'a'
output all array = [wanted, other, letter]
`,
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
    ['a text for a number', moduleWith("wanted: 'x'\n    other: '2'"), '4,12: other of m is of type string, not int'],
    ['a value that no module takes', moduleWith("wanted: 'x'\n    letter: 'c'"), "4,13: letter of m may be 'c'"],
    [
      'a parameter with more values than the module takes',
      `@allowed(['a', 'b', 'c'])\nparam p string\nvar v = true ? p : 'd'\n${moduleWith("wanted: 'x'\n    letter: v")}`,
      "7,13: letter of m may be 'c' or 'd'",
    ],
    [
      'any text where few are taken',
      `param p string\nvar v = '\${p}-x'\n${moduleWith("wanted: 'x'\n    letter: v")}`,
      '6,13: letter of m may be any string',
    ],
  ])('the check of templates finds %s', async (name, text, fault) => {
    const file = join(folder, `${name}.bicep`)
    await writeFile(file, text)
    expect(faultsOf(readTemplate(file))).toEqual([fault])
  })

  const account = "resource account 'Some/thing@2024-01-01' existing = {\n  name: 'x'\n}\n"
  const role = (head: string, name: string): string =>
    `${account}resource role 'Some/role@2024-01-01' = ${head}{\n  name: ${name}\n}${head.startsWith('[') ? ']' : ''}\n`

  test.each([
    ['the name of role needs account.properties', role('', 'account.properties.key')],
    ['the condition of role needs account.properties', role('if (account.properties.on) ', "'x'")],
    [
      'the loop of role needs account.tags',
      `var all = concat([], account.tags.list)\n${role('[for each in all: ', 'each')}`,
    ],
    ['the condition of role needs m', `${moduleWith("wanted: 'x'")}${role('if (m.outputs.all) ', "'x'")}`],
  ])('the check of templates finds %s', async (fault, text) => {
    const file = join(folder, `${fault}.bicep`)
    await writeFile(file, text)
    expect(startFaultsOf(readTemplate(file))).toEqual([`${fault}, which is not known at the start`])
  })

  test('an expression is neither a resource name nor a module argument', async () => {
    const file = join(folder, 'no start fault.bicep')
    await writeFile(file, `${role('', 'account.name')}${moduleWith('wanted: account.properties.key')}`)
    expect(startFaultsOf(readTemplate(file))).toEqual([])
  })

  test.each([
    ['a parameter that the module checks itself', `param p string\n${moduleWith('wanted: p\n    letter: p')}`],
    ['each of the values', `param p bool\n${moduleWith("wanted: 'x'\n    letter: p ? 'a' : 'b'")}`],
    ['a value that only the deployment knows', moduleWith("wanted: 'x'\n    letter: resourceGroup().name")],
  ])('an expression is not %s', async (name, text) => {
    const file = join(folder, `${name}.bicep`)
    await writeFile(file, text)
    expect(faultsOf(readTemplate(file))).toEqual([])
  })

  test('an expression in a text keeps its spaces', async () => {
    const file = join(folder, 'spaces.bicep')
    const spaced = `' ${'$'}{name} ${'$'}{name} '`
    await writeFile(file, `var name = 'x'\noutput all array = [' ', ' a ', ${spaced}, '']\n`)
    const { outputs } = deploy(readTemplate(file), {}, { cloud: 'AzureCloud', env: {} })
    expect(outputs.all).toEqual([' ', ' a ', ' x x ', ''])
  })

  test.each([
    ['syntax', 'param = 1\n', {}, 'not Bicep'],
    ['a value that is not allowed', "@allowed(['a'])\nparam p string\n", { p: 'b' }, 'the parameter p may not be "b"'],
    ['a value out of bounds', '@maxValue(3)\nparam p int\n', { p: 4 }, 'the parameter p may not be 4'],
    ['a value of another type', 'param p int\n', { p: '4' }, 'the parameter p is not of type int'],
    ['a parameter left out', 'param p int\n', {}, 'the parameter p is missing'],
    ['a parameter made up', 'param p int = 1\n', { q: 1 }, 'q is not a parameter'],
  ])('a fault of %s fails the deployment', async (name, text, given, message) => {
    const file = join(folder, `${name}.bicep`)
    await writeFile(file, text)
    expect(() => deploy(readTemplate(file), given, { cloud: 'AzureCloud', env: {} })).toThrow(message)
  })
})
