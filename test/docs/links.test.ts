import { existsSync, readdirSync } from 'node:fs'
import { join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../../local/build/bundle.ts'
import { anchorOf, readDocument } from '../support/markdown.ts'

const documents = [
  ...readdirSync(root).filter(name => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name.replaceAll('\\', '/')}`),
  'shared/snapshots/README.md',
  'test/simulation/README.md',
  'infra/connector/README.md',
  'infra/logic-apps/README.md',
]

const { scripts } = JSON.parse(readDocument('package.json')) as { scripts: Record<string, string> }

const anchorsOf = (path: string): string[] =>
  [...readDocument(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading))

test.each(documents)('every link of %s leads to a file and to a heading that exist', path => {
  const links = [...readDocument(path).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link]) => link ?? [])
  const broken = links.filter(link => {
    if (/^https?:/.test(link)) return false
    const [file = '', anchor] = link.split('#')
    const target = file === '' ? path : normalize(join(path, '..', file))
    return !existsSync(join(root, target)) || (anchor !== undefined && !anchorsOf(target).includes(anchor))
  })
  expect(broken).toEqual([])
})

test.each(documents)('every npm command of %s exists', path => {
  const named = [...readDocument(path).matchAll(/npm run (?:-s )?([\w:]+)/g)].flatMap(([, name]) => name ?? [])
  expect(named.filter(name => !(name in scripts))).toEqual([])
})
