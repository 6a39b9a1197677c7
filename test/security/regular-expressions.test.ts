import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'
import { analyse } from 'scslre'
import { expect, test, vi } from 'vitest'
import { root } from '../../local/build/bundle.ts'

/**
 * Text from outside runs through these expressions, so that each must take time linear in it. `scslre` finds the parts of
 * an expression that backtrack polynomially or exponentially, also where a match only moves on.
 */
const reportsOf = (expression: RegExp): string[] =>
  analyse(expression).reports.map(({ type, exponential }) => `${exponential ? 'exponential' : 'polynomial'} ${type}`)

type Found = { where: string; source: string; flags: string }

function literalsOf(file: string): { literals: Found[]; calls: string[] } {
  const text = readFileSync(join(root, file), 'utf8')
  const lineOf = (at: number): string => `${file}:${text.slice(0, at).split('\n').length}`
  const literals: Found[] = []
  const calls: string[] = []
  new Visitor({
    Literal(node) {
      if ('regex' in node && node.regex) {
        literals.push({ where: lineOf(node.start), source: node.regex.pattern, flags: node.regex.flags })
      }
    },
    NewExpression({ callee, start }) {
      if (callee.type === 'Identifier' && callee.name === 'RegExp') calls.push(lineOf(start))
    },
  }).visit(parseSync(file, text).program)
  return { literals, calls }
}

const files = ['shared', 'functions'].flatMap(folder =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => `${folder}/${name.replaceAll('\\', '/')}`),
)
const found = files.map(literalsOf)

test('every regular expression of the app takes time linear in its text', () => {
  const literals = found.flatMap(({ literals }) => literals)
  expect(literals.length).toBeGreaterThan(50)
  const slow = literals.flatMap(({ where, source, flags }) =>
    reportsOf(new RegExp(source, flags)).map(report => `${where} /${source}/${flags} ${report}`),
  )
  expect(slow).toEqual([])
})

/** Made while a module loads, of parts that no literal shows. */
test('so does every one that is put together', async () => {
  const made = new Set<RegExp>()
  vi.stubGlobal(
    'RegExp',
    new Proxy(RegExp, {
      construct(target, [source, flags]: [string, string?]) {
        const expression = new target(source, flags)
        made.add(expression)
        return expression
      },
    }),
  )
  const calls = found.flatMap(({ calls }) => calls)
  const modules = [...new Set(calls.map(call => call.replace(/:\d+$/, '')))]
  for (const module of modules) await import(/* @vite-ignore */ `${root}${module}`)
  vi.unstubAllGlobals()
  const ours = [...made].filter(({ source }) => /client_/.test(source))
  expect(ours).toHaveLength(calls.length)
  expect(ours.flatMap(expression => reportsOf(expression).map(report => `${expression} ${report}`))).toEqual([])
})

test.each([
  ['(a+)+$', ['exponential Self']],
  ['\\s*=\\s*\\s*x', ['polynomial Trade']],
  ['a+$', ['polynomial Move']],
])('one like /%s/ would be found', (source, reports) => {
  expect(reportsOf(new RegExp(source))).toEqual(expect.arrayContaining(reports))
})
