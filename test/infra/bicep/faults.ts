import { functions } from './functions.ts'
import { field, type Node, partsOf, placeOf, within } from './syntax.ts'
import { type BicepSymbol, readTemplate, type Template } from './template.ts'

const loaders = ['loadTextContent', 'loadJsonContent']

/** Identifiers that name something, not those that are a key, a function or a name being given. */
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
      return named.slice(1).flatMap(usedNames)
    default:
      return (node.type.endsWith('_declaration') ? named.slice(1) : named).flatMap(usedNames)
  }
}

const loopNames = (nodes: Node[]): string[] =>
  nodes.flatMap(node => {
    if (node.type !== 'for_statement') return []
    const names = partsOf(node)[0]
    return names?.type === 'for_loop_parameters' ? partsOf(names).map(({ text }) => text) : [names?.text ?? '']
  })

/** What has to be used to have a reason. */
const needsUse = (symbol: BicepSymbol): boolean =>
  ['parameter', 'variable', 'import'].includes(symbol.kind) ||
  (symbol.kind === 'resource' && symbol.existing && symbol.nested.size === 0)

const isExported = (name: string, { root }: Template): boolean =>
  new RegExp(`@export\\(\\)\\s+var ${name}\\b`).test(root.text)

/**
 * What the compiler's analysis would find without knowing any resource: names and functions that nothing declares,
 * declarations that nothing uses, parameters of modules that are unknown or missing.
 */
export function faultsOf(template: Template): string[] {
  const { root, symbols } = template
  const nodes = within(root)
  const loops = loopNames(nodes)
  const used = usedNames(root)
  const names = new Set(used.map(({ text }) => text))
  const undeclared = used.filter(({ text }) => !symbols.has(text) && !loops.includes(text))
  const calls = nodes.filter(({ type, parent }) => type === 'call_expression' && parent?.type !== 'decorator')
  const unknown = calls
    .map(call => field(call, 'function'))
    .filter(({ text }) => !(text in functions) && !loaders.includes(text))
  const idle = [...symbols].filter(
    ([name, symbol]) => needsUse(symbol) && !names.has(name) && !isExported(name, template),
  )
  return [
    ...undeclared.map(node => `${placeOf(node)}: nothing is named ${node.text}`),
    ...unknown.map(node => `${placeOf(node)}: there is no function ${node.text}`),
    ...idle.map(([name]) => `nothing uses ${name}`),
    ...[...symbols].flatMap(([name, symbol]) =>
      symbol.kind === 'module' ? faultsOfModule(name, symbol.path, symbol.object) : [],
    ),
  ]
}

function faultsOfModule(name: string, path: string, object: Node): string[] {
  const members = partsOf(object).find(member => partsOf(member)[0]?.text === 'params')
  const given = partsOf(members?.namedChildren.at(-1) ?? object).map(member => partsOf(member)[0]?.text ?? '')
  const parameters = [...readTemplate(path).symbols].filter(([, { kind }]) => kind === 'parameter')
  const required = parameters.filter(([, symbol]) => symbol.kind === 'parameter' && symbol.otherwise === undefined)
  return [
    ...given.filter(key => !parameters.some(([known]) => known === key)).map(key => `${name} takes no ${key}`),
    ...required.filter(([key]) => !given.includes(key)).map(([key]) => `${name} lacks ${key}`),
  ]
}
