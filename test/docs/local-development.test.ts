import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../../local/build/bundle.ts'

const page = await readFile(`${root}docs/local-development.md`, 'utf8')

test('every npm script that the page names exists', async () => {
  const { scripts } = JSON.parse(await readFile(`${root}package.json`, 'utf8')) as { scripts: Record<string, string> }
  const names = [...page.matchAll(/npm (?:run (?:-s )?)?(\w+)/g)]
    .map(([, name = '']) => name)
    .filter(name => name !== 'ci')
  expect(new Set(names).size).toBeGreaterThan(3)
  expect(names.filter(name => !(name in scripts))).toEqual([])
})

test('the page names the environment variables that the commands read', async () => {
  const files = (await readdir(`${root}local`, { recursive: true })).filter(name => name.endsWith('.ts'))
  const code = (await Promise.all(files.map(name => readFile(join(root, 'local', name), 'utf8')))).join('\n')
  const named = [...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name = '']) => name)
  expect(named).toContain('LOCAL_FUNCTION_KEY')
  expect(named.filter(name => !code.includes(`env.${name}`))).toEqual([])
  // Internal variables between a start and its processes.
  const own = new Set(['LOCAL_CLOCK_SHIFT_MS', 'LOCAL_PAGE_URL'])
  const read = [...code.matchAll(/env\.(LOCAL_\w+)/g)].map(([, name = '']) => name).filter(name => !own.has(name))
  expect([...new Set(read)].filter(name => !named.includes(name))).toEqual([])
})

test('every option that the page names exists', async () => {
  const start = await readFile(`${root}local/commands/start.ts`, 'utf8')
  const options = [...page.matchAll(/npm start -- --(\w+)/g)].map(([, name = '']) => name)
  expect(options.length).toBeGreaterThan(2)
  expect(options.filter(name => !start.includes(`${name}: { type: `))).toEqual([])
})
