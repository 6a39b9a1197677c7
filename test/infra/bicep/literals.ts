import { field, keyNode, lastPart, type Node, partsOf, plainText } from './syntax.ts'
import type { ParameterSymbol, Template } from './template.ts'

/** What is known of a value before anything is deployed: its literal values, else its type, else nothing. */
type Known = { literals: Set<string> } | { type: string } | undefined

const literal = (value: string): Known => ({ literals: new Set([value]) })

const allowedBy = ({ rules }: ParameterSymbol): Set<string> | undefined => {
  const allowed = rules.get('allowed')
  return allowed === undefined ? undefined : new Set(partsOf(allowed).map(({ text }) => text))
}

function either(first: Known, second: Known): Known {
  if (first === undefined || second === undefined) return undefined
  if ('literals' in first && 'literals' in second) return { literals: new Set([...first.literals, ...second.literals]) }
  const [one, other] = [typeOf(first), typeOf(second)]
  return one === other ? { type: one } : undefined
}

/** The type of a literal, as it is written: text stands in quotes. */
function typeOf(known: { literals: Set<string> } | { type: string }): string {
  if ('type' in known) return known.type
  const [text = ''] = known.literals
  if (text.startsWith("'")) return 'string'
  return text === 'true' || text === 'false' ? 'bool' : 'int'
}

function knownOf(node: Node, template: Template): Known {
  switch (node.type) {
    case 'parenthesized_expression':
      return knownOf(lastPart(node), template)
    case 'string':
      return partsOf(node).some(({ type }) => type === 'interpolation')
        ? { type: 'string' }
        : literal(`'${plainText(node)}'`)
    case 'number':
    case 'boolean':
      return literal(node.text)
    case 'array':
    case 'for_statement':
      return { type: 'array' }
    case 'object':
      return { type: 'object' }
    case 'ternary_expression':
      return either(knownOf(field(node, 'consequence'), template), knownOf(field(node, 'alternative'), template))
    case 'binary_expression':
      return field(node, 'operator').text === '??' ? undefined : { type: 'bool' }
    case 'identifier': {
      const symbol = template.symbols.get(node.text)
      if (symbol?.kind === 'variable') return knownOf(symbol.value, template)
      if (symbol?.kind !== 'parameter') return undefined
      const literals = allowedBy(symbol)
      return literals === undefined ? { type: symbol.type } : { literals }
    }
    default:
      return undefined
  }
}

/** A parameter that is declared without its values may hold any of them: the compiler leaves that to the deployment. */
const isLoose = (node: Node, { symbols }: Template): boolean =>
  node.type === 'identifier' && symbols.get(node.text)?.kind === 'parameter'

/** Why a value is not of the type that a module's parameter wants (BCP036), or undefined if it is or nobody can tell. */
export function misfit(value: Node, template: Template, wanted: ParameterSymbol): string | undefined {
  const known = knownOf(value, template)
  if (known === undefined) return undefined
  if (typeOf(known) !== wanted.type) {
    return wanted.type.startsWith('{') ? undefined : `is of type ${typeOf(known)}, not ${wanted.type}`
  }
  const allowed = allowedBy(wanted)
  if (allowed === undefined) return undefined
  if ('type' in known) return isLoose(value, template) ? undefined : `may be any ${known.type}`
  const others = [...known.literals].filter(value => !allowed.has(value))
  return others.length === 0 ? undefined : `may be ${others.join(' or ')}`
}

/** The values that are given to a module, by the name of the parameter. */
export const givenValues = (params: Node): [name: string, value: Node][] =>
  partsOf(params).map(member => [keyNode(member)?.text ?? '', lastPart(member)])
