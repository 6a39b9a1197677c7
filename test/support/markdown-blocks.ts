import { globSync } from 'node:fs'
import { root } from '../../local/build/bundle.ts'
import { readDocument } from './markdown.ts'

/** A fenced block of a document. */
export type Block = {
  document: string
  language: string
  text: string
  /** Why no test runs it, from the sentence "Not run by the tests: needs …" in its section or above the first section. */
  notRunBecause: string | undefined
}

export const documents = globSync('**/*.md', {
  cwd: root,
  exclude: name => /^(node_modules|dist|\.local|\.git)$/.test(name),
}).map(name => name.replaceAll('\\', '/'))

const marker = /Not run by the tests[^:.]*: needs? ([^.]+)\./

/** The fenced blocks of a document, in their order. A block inside a list is indented. */
export function blocksIn(document: string, text = readDocument(document)): Block[] {
  const folded = (part: string) => part.replaceAll(/\s+/g, ' ')
  const withoutBlocks = (part: string) => part.replaceAll(/^( *)```[\s\S]*?^\1```/gm, '')
  const [intro = ''] = text.split(/^## /m)
  return [...text.matchAll(/^( *)```(\w*)\n([\s\S]*?)^\1```/gm)].map(match => {
    const [, indent = '', language = '', content = ''] = match
    const start = text.lastIndexOf('\n## ', match.index)
    const end = text.indexOf('\n## ', match.index)
    const section = text.slice(Math.max(0, start), end < 0 ? undefined : end)
    const found = marker.exec(folded(withoutBlocks(section))) ?? marker.exec(folded(withoutBlocks(intro)))
    const lines = content.split('\n').map(line => (line.startsWith(indent) ? line.slice(indent.length) : line))
    return { document, language, text: lines.join('\n').trimEnd(), notRunBecause: found?.[1] }
  })
}
