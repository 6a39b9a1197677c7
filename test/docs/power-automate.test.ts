import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { errorKinds } from '../../shared/errors.ts'
import { operations } from '../support/definition.ts'
import { groupsIn, textsIn, type Workflow } from '../support/workflow.ts'

const docs = new URL('../../docs/', import.meta.url)
const page = readFileSync(new URL('power-automate.md', docs), 'utf8')
const sections = new Map(
  page
    .split(/^## /m)
    .map(section => [section.slice(0, section.indexOf('\n')), section.replaceAll(/\s+/g, ' ')] as const),
)

const recipes = [...sections].filter(([title]) => title.startsWith('Recipe '))

describe.each(recipes)('%s', (_, text) => {
  const [, sample = ''] = /\]\(([^)]+\.json)\)/.exec(text) ?? []
  const definition = (): Workflow =>
    (JSON.parse(readFileSync(new URL(sample, docs), 'utf8')) as { properties: { definition: Workflow } }).properties
      .definition

  test('the recipe names operations of the connector as makers see them', () => {
    const named = [...text.matchAll(/\*\*Partner Center Orders\*\* > \*\*([^*]+)\*\*/g)].map(([, name]) => name)
    const summaries = operations.map(({ operation }) => operation.summary)
    expect(named.length).toBeGreaterThan(0)
    expect(named.filter(name => name === undefined || !summaries.includes(name))).toEqual([])
  })

  test('the recipe has the expressions of its sample', () => {
    const expressions = [...text.matchAll(/`+\s*@?((?:concat|if|not|first|join)\((?:[^`])+\))\s*`+/g)].map(
      ([, each]) => each,
    )
    const samples = textsIn([definition(), [...groupsIn(definition().actions)]])
    for (const expression of expressions)
      expect(
        samples.some(each => each.includes(expression ?? '')),
        expression,
      ).toBe(true)
    expect(expressions.length > 0).toBe(text.includes('**Compose**'))
  })
})

test('there are four recipes, each with a sample', () => {
  const samples = recipes.map(([, text]) => /\]\(([^)]+\.json)\)/.exec(text)?.[1] ?? '')
  expect(samples).toHaveLength(4)
  for (const sample of samples) expect(existsSync(new URL(sample, docs)), sample).toBe(true)
})

test('the commands for the key of a connection are on the page about operations', () => {
  const operate = readFileSync(new URL('operations.md', docs), 'utf8')
  const commands = [...page.matchAll(/^ *(az functionapp keys .+?)(?: --query .+)?$/gm)].map(([, each = '']) => each)
  expect(commands.map(each => each.split(' ')[3])).toEqual(['set', 'list'])
  expect(commands.filter(each => !operate.includes(each))).toEqual([])
  expect(page).not.toMatch(/azure portal|host key/i)
})

test('every error code that a maker can meet is explained', () => {
  const explained = [...(sections.get('When an action fails') ?? '').matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map(
    ([, code]) => code,
  )
  const met = Object.keys(errorKinds).filter(code => code !== 'route_not_found')
  expect(met.filter(code => !explained.includes(code))).toEqual([])
  expect(met.length).toBeGreaterThan(15)
})

test('every link leads to a file and to a heading that exist', () => {
  const anchorOf = (heading: string) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-')
  const links = [...page.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link]) => link ?? [])
  expect(links.length).toBeGreaterThan(10)
  for (const link of links.filter(each => !each.startsWith('https:'))) {
    const [file = '', anchor] = link.split('#')
    const target = file === '' ? page : readFileSync(new URL(file, docs), 'utf8')
    if (anchor !== undefined) {
      const anchors = [...target.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading))
      expect(anchors, link).toContain(anchor)
    }
  }
})
