import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from '../../local/build/bundle.ts'
import { parameterPage } from '../infra/bicep/parameter-table.ts'
import { readTemplate } from '../infra/bicep/template.ts'

const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8')
const main = readTemplate(join(root, 'infra/main.bicep'))

test('the page of parameters matches the template (npm run docs writes it)', async () => {
  expect(await read('docs/parameters.md')).toBe(parameterPage(main))
})

test('the rows of parameters have values, bounds, default and meaning', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bicep-'))
  try {
    const file = join(folder, 'main.bicep')
    await writeFile(
      file,
      `@description('First | letter.')
@allowed(['a', 'b'])
param letter string = 'a'
@description('How many.')
@minValue(1)
param count int
@description('An id.')
@minLength(36)
@maxLength(36)
param id string = ''
@description('More of them.')
param ids string[] = [id]
@description('All of them.')
output ALL array = concat([letter, id], ids, [count])
`,
    )
    expect(
      parameterPage(readTemplate(file))
        .split('\n')
        .filter(line => line.startsWith('| `')),
    ).toEqual([
      '| `letter` | `a`, `b` | `a` | First \\| letter. |',
      '| `count` | `int`, from 1 | required | How many. |',
      '| `id` | `string`, 36 characters | empty | An id. |',
      '| `ids` | `string[]` | `[id]` | More of them. |',
      '| `ALL` | All of them. |',
    ])
  } finally {
    await rm(folder, { recursive: true })
  }
})

test.each(['README.md', 'docs/operations.md'])('%s links to the page', async file => {
  expect(await read(file)).toMatch(/parameters\.md\)/)
})

describe('a command in the documents', () => {
  const outputs = [...main.symbols.keys()].flatMap(name => (name.startsWith('output ') ? [name.slice(7)] : []))
  /** Names with a meaning for azd itself. */
  const ofAzd = ['AZURE_RESOURCE_GROUP', 'AZURE_PRINCIPAL_ID', 'AZURE_PRINCIPAL_TYPE']

  test.each(['README.md', 'docs/operations.md', 'docs/credentials.md'])(
    'the commands in %s set variables that main.bicepparam reads, and read outputs of the template',
    async file => {
      const text = await read(file)
      const parameters = await read('infra/main.bicepparam')
      const set = [...text.matchAll(/azd env set ([A-Z_]+)/g)].map(([, name = '']) => name)
      const got = [...text.matchAll(/azd env get-value ([A-Z_]+)/g)].map(([, name = '']) => name)
      expect(set).not.toEqual([])
      expect(got).not.toEqual([])
      expect(set.filter(name => !ofAzd.includes(name) && !parameters.includes(`('${name}'`))).toEqual([])
      expect(got.filter(name => !ofAzd.includes(name) && !outputs.includes(name))).toEqual([])
    },
  )

  test.each(['README.md', 'docs/operations.md'])(
    'the commands in %s come after the commands that they need',
    async file => {
      const text = await read(file)
      const order = ['azd up', 'az keyvault secret set', 'azd env set STORED_SECRETS', 'azd provision'].map(command =>
        text.indexOf(`\n${command}`),
      )
      expect(order.every(at => at > 0)).toBe(true)
      expect(order).toEqual(order.toSorted((one, other) => one - other))
      expect(text.lastIndexOf('\nnpm run smoke')).toBeGreaterThan(Math.max(...order))
    },
  )

  test('a command in the documents exists', async () => {
    const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> }
    const texts = await Promise.all(
      ['README.md', 'docs/operations.md', 'docs/credentials.md', 'docs/parameters.md', 'docs/reference.md'].map(read),
    )
    const run = texts.flatMap(text => [...text.matchAll(/npm run (\w+)/g)].map(([, name = '']) => name))
    expect(run.filter(name => !(name in scripts))).toEqual([])
  })
})

test('no document names a parameter that the template does not have', async () => {
  const { symbols } = main
  const files = [
    'README.md',
    'docs/operations.md',
    'docs/credentials.md',
    'docs/power-automate.md',
    'docs/reference.md',
    'docs/snapshots.md',
  ]
  const texts = await Promise.all([...files, 'infra/connector/README.md', 'infra/logic-apps/README.md'].map(read))
  const named = texts.flatMap(text =>
    [
      ...text.matchAll(/`((?:entra|partner|snapshot|vault|operator|private|premium|retention|instance)[A-Z]\w*)\b/g),
    ].map(([, name = '']) => name),
  )
  expect(named.length).toBeGreaterThan(5)
  expect(named.filter(name => symbols.get(name)?.kind !== 'parameter')).toEqual([])
})
