import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../../local/build.ts'
import { parameterPage } from '../infra/bicep/parameter-table.ts'
import { readTemplate } from '../infra/bicep/template.ts'

const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8')

test('the page of parameters is what the template says: npm run docs writes it', async () => {
  expect(await read('docs/parameters.md')).toBe(parameterPage(readTemplate(join(root, 'infra/main.bicep'))))
})

test('its rows tell values, bounds, default and meaning', async () => {
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

test.each(['README.md', 'docs/operations.md'])('%s leads to it', async file => {
  expect(await read(file)).toMatch(/parameters\.md\)/)
})

test('no document names a parameter that the template does not have', async () => {
  const { symbols } = readTemplate(join(root, 'infra/main.bicep'))
  const files = [
    'README.md',
    'docs/operations.md',
    'docs/credentials.md',
    'docs/power-automate.md',
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
