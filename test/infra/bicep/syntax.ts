import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Language, Parser, type Node as SyntaxNode } from 'web-tree-sitter'

/** A node as plain data. The parser keeps its tree outside of JavaScript, where each access takes a call. */
export type Node = {
  type: string
  text: string
  /** The nodes inside, without comments and punctuation. */
  parts: Node[]
  fields: ReadonlyMap<string, Node>
  /** The keywords and punctuation inside. */
  words: string[]
  place: string
}

const require = createRequire(import.meta.url)
await Parser.init()
const parser = new Parser()
parser.setLanguage(await Language.load(require.resolve('tree-sitter-bicep/tree-sitter-bicep.wasm')))

/** The space before an interpolation or the closing quote is part of the text. The grammar adds it to the next node. */
function spaceBefore({ type, text, place }: Node): Node[] {
  const space = type === 'string_content' ? '' : (/^\s+/.exec(text)?.[0] ?? '')
  return space === '' ? [] : [{ type: 'string_content', text: space, parts: [], fields: new Map(), words: [], place }]
}

/**
 * The grammar attaches `.a` in `x => x.a` to the whole expression. The language attaches it to the `x` after the arrow.
 */
function insideLambda(node: Node): Node {
  const { object, property } = Object.fromEntries(node.fields)
  const [item, body] = object?.type === 'lambda_expression' ? object.parts : []
  if (node.type !== 'member_expression' || !object || !property || !item || !body) return node
  const text = `${body.text}${node.text.slice(object.text.length)}`
  const fields = new Map([
    ['object', body],
    ['property', property],
  ])
  return { ...object, text: node.text, parts: [item, { ...node, text, parts: [body, property], fields }] }
}

function plain(node: SyntaxNode): Node {
  const children = node.children.flatMap((child, index) =>
    child === null || child.type === 'comment'
      ? []
      : [{ child, made: plain(child), field: node.fieldNameForChild(index) }],
  )
  const { row, column } = node.startPosition
  return insideLambda({
    type: node.type,
    text: node.text,
    parts: children.flatMap(({ child, made }) => [
      ...(node.type === 'string' ? spaceBefore(made) : []),
      ...(child.isNamed ? [made] : []),
    ]),
    // The first field of a name, like the parser itself.
    fields: new Map(children.toReversed().flatMap(({ made, field }) => (field === null ? [] : [[field, made]]))),
    words: children.flatMap(({ child }) => (child.isNamed ? [] : [child.type])),
    place: `${row + 1},${column + 1}`,
  })
}

export const partsOf = (node: Node): Node[] => node.parts

/** A field that the grammar guarantees. */
export function field(node: Node, name: string): Node {
  const found = node.fields.get(name)
  if (found === undefined) throw new Error(`No ${name} in ${node.type} ${node.text}`)
  return found
}

export function lastPart(node: Node): Node {
  const found = partsOf(node).at(-1)
  if (found === undefined) throw new Error(`Nothing in ${node.type} ${node.text}`)
  return found
}

export const partOfType = (node: Node, ...types: string[]): Node | undefined =>
  partsOf(node).find(({ type }) => types.includes(type))

/** All nodes inside, starting with the node itself. */
export const within = (node: Node): Node[] => [node, ...partsOf(node).flatMap(within)]

const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t' }
export const unescaped = (text: string): string =>
  text.replace(/\\(.)/g, (_, letter: string) => escapes[letter] ?? letter)

/** The text of a string without interpolation, such as a path or a name. */
export const plainText = (node: Node): string =>
  partsOf(node)
    .map(({ text }) => unescaped(text))
    .join('')

/** The name that a declaration declares. */
export const declaredName = (node: Node): string => partOfType(node, 'identifier')?.text ?? ''

/** The key of an object's member. */
export const keyNode = (member: Node): Node | undefined => partsOf(member)[0]

/**
 * Parses a Bicep file or a parameter file. The grammar covers the part of the language that the templates use. Other
 * syntax is an error here, even if the compiler accepts it.
 */
export function parseBicep(file: string): Node {
  const source = readFileSync(file, 'utf8')
  // The grammar has no parameter files. Their assignments are parsed as variables.
  const text = file.endsWith('.bicepparam')
    ? source.replace(/^using .*$/m, '').replace(/^param (\w+ =)/gm, 'var $1')
    : source
  const tree = parser.parse(text)
  if (tree === null) throw new Error(`${file}: not read`)
  if (tree.rootNode.hasError) {
    const wrong = tree.rootNode.descendantsOfType('ERROR')[0]
    const place = wrong === undefined || wrong === null ? '' : plain(wrong).place
    throw new Error(`${file}(${place}): not Bicep: ${wrong?.text.slice(0, 60)}`)
  }
  return plain(tree.rootNode)
}

/** The template that a parameter file names. */
export function templateOf(parameterFile: string): string {
  const path = /^using '(.+)'/m.exec(readFileSync(parameterFile, 'utf8'))?.[1]
  if (path === undefined) throw new Error(`${parameterFile} names no template`)
  return path
}
