import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../../local/build/bundle.ts'
import { codeIn, readDocument, sectionOf, tablesIn } from '../support/markdown.ts'

const page = readDocument('README.md')

test('the README is short: at most 150 lines, and no table of more than 12 rows', () => {
  expect(page.split('\n').length).toBeLessThanOrEqual(151)
  const tables = tablesIn(page)
  expect(tables.length).toBeGreaterThan(1)
  expect(tables.filter(rows => rows.length > 12)).toEqual([])
})

test.each(['npm ci && npm start', 'npm ci && npm test'])(
  'the README has the command %s in a block of its own',
  command => {
    expect(page).toContain(`\n\`\`\`\n${command}\n\`\`\`\n`)
  },
)

test('the README lists every HTTP function except the one for unknown paths', () => {
  const named = tablesIn(sectionOf(page, 'What the functions do'))[0]?.flatMap(([name]) => codeIn(name)) ?? []
  const known = readdirSync(join(root, 'functions'))
    .filter(name => readDocument(`functions/${name}`).includes('app.http('))
    .map(name => name.replace(/\.ts$/, ''))
    .filter(name => name !== 'unknown-route')
  expect(named.toSorted()).toEqual(known.toSorted())
})
