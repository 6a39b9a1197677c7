import { field, keyNode, lastPart, type Node, partsOf, within } from './syntax.ts'
import type { BicepSymbol, Body, Template } from './template.ts'

/** The members of a resource that are known before it exists. */
const knownMembers = ['id', 'name', 'type', 'apiVersion']

/** All expressions of a value, including those of the variables that it uses. */
function expressionsOf(value: Node, { symbols }: Template): Node[] {
  const found = new Set<Node>()
  const add = (node: Node): void => {
    for (const inner of within(node)) {
      if (found.has(inner)) continue
      found.add(inner)
      const symbol = inner.type === 'identifier' ? symbols.get(inner.text) : undefined
      if (symbol?.kind === 'variable') add(symbol.value)
    }
  }
  add(value)
  return [...found]
}

/** The members of resources and modules of the same template that a value uses. */
function laterMembers(value: Node, template: Template): string[] {
  const nodes = expressionsOf(value, template)
  const kindOf = (node: Node): string | undefined =>
    node.type === 'identifier' ? template.symbols.get(node.text)?.kind : undefined
  return nodes.flatMap(node => {
    if (kindOf(node) === 'module') return [node.text]
    if (node.type !== 'member_expression' || kindOf(field(node, 'object')) !== 'resource') return []
    return knownMembers.includes(field(node, 'property').text) ? [] : [node.text]
  })
}

const namesOf = ({ object }: Body): Node[] =>
  partsOf(object).flatMap(member => (keyNode(member)?.text === 'name' ? [lastPart(member)] : []))

function early(symbol: BicepSymbol): [what: string, value: Node][] {
  if (symbol.kind !== 'resource' && symbol.kind !== 'module') return []
  const { loop, condition } = symbol
  const own = [
    ...(loop === undefined ? [] : [['loop', loop.list] as [string, Node]]),
    ...(condition === undefined ? [] : [['condition', condition] as [string, Node]]),
    ...namesOf(symbol).map((name): [string, Node] => ['name', name]),
  ]
  return symbol.kind === 'module' ? own : [...own, ...[...symbol.nested.values()].flatMap(early)]
}

/**
 * Names, conditions and loops that depend on the properties of another resource. They must be known when the deployment
 * starts (BCP120, BCP178).
 */
export const startFaultsOf = (template: Template): string[] =>
  [...template.symbols].flatMap(([name, symbol]) =>
    early(symbol).flatMap(([what, value]) =>
      laterMembers(value, template).map(
        later => `the ${what} of ${name} needs ${later}, which is not known at the start`,
      ),
    ),
  )
