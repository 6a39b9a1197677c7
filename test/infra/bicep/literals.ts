import { field, keyNode, lastPart, type Node, partsOf, plainText } from './syntax.ts'
import type { ParameterSymbol, Template } from './template.ts'

/** The value before a deployment: its literal values, or its type, or undefined. */
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

/** The written type of a literal. Text is in quotes. */
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

/** True for a parameter without allowed values. The compiler leaves its check to the deployment. */
const isLoose = (node: Node, { symbols }: Template): boolean =>
  node.type === 'identifier' && symbols.get(node.text)?.kind === 'parameter'

/**
 * Why a value does not have the type of a module's parameter (BCP036). Undefined if it has, or if that is not known.
 */
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

/** The arguments of a module, by the name of the parameter. */
export const givenValues = (params: Node): [name: string, value: Node][] =>
  partsOf(params).map(member => [keyNode(member)?.text ?? '', lastPart(member)])
