import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Language, type Node, Parser } from 'web-tree-sitter'

export type { Node }

const require = createRequire(import.meta.url)
await Parser.init()
const parser = new Parser()
parser.setLanguage(await Language.load(require.resolve('tree-sitter-bicep/tree-sitter-bicep.wasm')))

/** What stands inside a node, without comments and punctuation. */
export const partsOf = (node: Node): Node[] =>
  node.namedChildren.flatMap(child => (child === null || child.type === 'comment' ? [] : [child]))

/** A node that the grammar promises. */
export function field(node: Node, name: string): Node {
  const found = node.childForFieldName(name)
  if (found === null) throw new Error(`No ${name} in ${node.type} ${node.text}`)
  return found
}

export function lastPart(node: Node): Node {
  const found = partsOf(node).at(-1)
  if (found === undefined) throw new Error(`Nothing in ${node.type} ${node.text}`)
  return found
}

export const partOfType = (node: Node, ...types: string[]): Node | undefined =>
  partsOf(node).find(({ type }) => types.includes(type))

/** Every node inside, itself first. */
export const within = (node: Node): Node[] => [node, ...partsOf(node).flatMap(within)]

export const placeOf = ({ startPosition: { row, column } }: Node): string => `${row + 1},${column + 1}`

const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t' }
export const unescaped = (text: string): string =>
  text.replace(/\\(.)/g, (_, letter: string) => escapes[letter] ?? letter)

/** The text of a string without interpolation, such as a path or a name. */
export const plainText = (node: Node): string =>
  partsOf(node)
    .map(({ text }) => unescaped(text))
    .join('')

/** The name that a declaration gives to what it declares. */
export const declaredName = (node: Node): string => partOfType(node, 'identifier')?.text ?? ''

/** The key of an object's member. */
export const keyNode = (member: Node): Node | undefined => partsOf(member)[0]

/**
 * Parses a Bicep file, a parameter file, too. The grammar reads the part of the language that the templates use; what it
 * cannot read is an error here, whether or not the compiler would take it.
 */
export function parseBicep(file: string): Node {
  const source = readFileSync(file, 'utf8')
  // The grammar knows no parameter files: their assignments read like variables.
  const text = file.endsWith('.bicepparam')
    ? source.replace(/^using .*$/m, '').replace(/^param (\w+ =)/gm, 'var $1')
    : source
  const tree = parser.parse(text)
  if (tree === null) throw new Error(`${file}: not read`)
  const wrong = within(tree.rootNode).find(({ isError, isMissing }) => isError || isMissing)
  if (wrong !== undefined || tree.rootNode.hasError) {
    throw new Error(`${file}(${wrong === undefined ? '' : placeOf(wrong)}): not Bicep: ${wrong?.text.slice(0, 60)}`)
  }
  return tree.rootNode
}

/** The template that a parameter file is for, as it is written there. */
export function templateOf(parameterFile: string): string {
  const path = /^using '(.+)'/m.exec(readFileSync(parameterFile, 'utf8'))?.[1]
  if (path === undefined) throw new Error(`${parameterFile} names no template`)
  return path
}
