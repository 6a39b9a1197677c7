import { functions } from './functions.ts'
import { givenValues, misfit } from './literals.ts'
import { field, keyNode, lastPart, type Node, partsOf, within } from './syntax.ts'
import { type BicepSymbol, type ModuleSymbol, readTemplate, type Template } from './template.ts'

const loaders = ['loadTextContent', 'loadJsonContent']

/** Identifiers that refer to a symbol, without keys, functions and declared names. */
function usedNames(node: Node): Node[] {
  const named = partsOf(node)
  switch (node.type) {
    case 'identifier':
      return [node]
    case 'decorators':
    case 'import_functionality':
      return []
    case 'object_property':
      return (named[0]?.type === 'identifier' ? named.slice(1) : named).flatMap(usedNames)
    case 'call_expression':
      return usedNames(field(node, 'arguments'))
    case 'resource_expression':
      return usedNames(field(node, 'object'))
    case 'for_statement':
    case 'lambda_expression':
      return named.slice(1).flatMap(usedNames)
    default:
      return (node.type.endsWith('_declaration') ? named.slice(1) : named).flatMap(usedNames)
  }
}

/** The names of the items in loops and lambdas. */
const itemNames = (nodes: Node[]): string[] =>
  nodes.flatMap(node => {
    if (node.type === 'lambda_expression') return keyNode(node)?.text ?? []
    if (node.type !== 'for_statement') return []
    const names = partsOf(node)[0]
    return names?.type === 'for_loop_parameters' ? partsOf(names).map(({ text }) => text) : [names?.text ?? '']
  })

/** Symbols that must be used. */
const needsUse = (symbol: BicepSymbol): boolean =>
  ['parameter', 'variable', 'import'].includes(symbol.kind) ||
  (symbol.kind === 'resource' && symbol.existing && symbol.nested.size === 0)

const isExported = (name: string, { root }: Template): boolean =>
  new RegExp(`@export\\(\\)\\s+var ${name}\\b`).test(root.text)

/**
 * The findings of the compiler that need no knowledge of resource types: undeclared names and functions, unused
 * declarations, and parameters of modules that are unknown, missing or of another type.
 */
export function faultsOf(template: Template): string[] {
  const { root, symbols } = template
  const nodes = within(root)
  const items = itemNames(nodes)
  const used = usedNames(root)
  const names = new Set(used.map(({ text }) => text))
  const undeclared = used.filter(({ text }) => !symbols.has(text) && !items.includes(text))
  const decorators = new Set(nodes.filter(({ type }) => type === 'decorator').flatMap(partsOf))
  const calls = nodes.filter(node => node.type === 'call_expression' && !decorators.has(node))
  const unknown = calls
    .map(call => field(call, 'function'))
    .filter(({ text }) => !(text in functions) && !loaders.includes(text))
  const idle = [...symbols].filter(
    ([name, symbol]) => needsUse(symbol) && !names.has(name) && !isExported(name, template),
  )
  return [
    ...undeclared.map(node => `${node.place}: nothing is named ${node.text}`),
    ...unknown.map(node => `${node.place}: there is no function ${node.text}`),
    ...idle.map(([name]) => `nothing uses ${name}`),
    ...[...symbols].flatMap(([name, symbol]) =>
      symbol.kind === 'module' ? faultsOfModule(name, symbol, template) : [],
    ),
  ]
}

function faultsOfModule(name: string, { path, object }: ModuleSymbol, template: Template): string[] {
  const params = partsOf(object).find(member => keyNode(member)?.text === 'params')
  const given = new Map(params === undefined ? [] : givenValues(lastPart(params)))
  const known = readTemplate(path).symbols
  const parameters = [...known].flatMap(([key, symbol]) =>
    symbol.kind === 'parameter' ? [[key, symbol] as const] : [],
  )
  return [
    ...[...given.keys()].filter(key => known.get(key)?.kind !== 'parameter').map(key => `${name} takes no ${key}`),
    ...parameters.flatMap(([key, symbol]) => {
      const value = given.get(key)
      if (value === undefined) return symbol.otherwise === undefined ? [`${name} lacks ${key}`] : []
      const why = misfit(value, template, symbol)
      return why === undefined ? [] : [`${value.place}: ${key} of ${name} ${why}`]
    }),
  ]
}
