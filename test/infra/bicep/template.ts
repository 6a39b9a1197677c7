import { dirname, join } from 'node:path'
import { declaredName, field, lastPart, type Node, parseBicep, partOfType, partsOf, plainText } from './syntax.ts'

/** The `for`, `if` and object of a resource or module. */
export type Body = { loop?: { item: string; index?: string; list: Node }; condition?: Node; object: Node }

export type ResourceSymbol = Body & {
  kind: 'resource'
  type: string
  apiVersion: string
  existing: boolean
  parent: ResourceSymbol | undefined
  nested: Map<string, ResourceSymbol>
}

export type ModuleSymbol = Body & { kind: 'module'; path: string }

export type ParameterSymbol = {
  kind: 'parameter'
  type: string
  /** The type as written. */
  written: string
  otherwise: Node | undefined
  /** Decorators by name, such as allowed, with their arguments. */
  rules: Map<string, Node>
}

export type BicepSymbol =
  | ResourceSymbol
  | ModuleSymbol
  | ParameterSymbol
  | { kind: 'variable'; value: Node }
  | { kind: 'import'; path: string }
  | { kind: 'output'; type: string; value: Node; rules: Map<string, Node> }

/** By name. An output can have the name of another symbol, so its key is `output` and its name. */
export type Template = { file: string; root: Node; symbols: Map<string, BicepSymbol> }

function bodyOf(declaration: Node): Body {
  const last = lastPart(declaration)
  if (last.type === 'for_statement') {
    const parameters = partOfType(last, 'for_loop_parameters')
    const [item, index] = parameters === undefined ? [field(last, 'initializer')] : partsOf(parameters)
    const list = partsOf(last)[1]
    if (item === undefined || list === undefined) throw new Error(`Not a loop: ${last.text}`)
    const loop = { item: item.text, list, ...(index === undefined ? {} : { index: index.text }) }
    return { ...conditionOf(field(last, 'body')), loop }
  }
  return conditionOf(last)
}

function conditionOf(node: Node): Body {
  if (node.type !== 'if_statement') return { object: node }
  const [condition, object] = partsOf(node)
  if (condition === undefined || object === undefined) throw new Error(`Not a condition: ${node.text}`)
  return { condition, object }
}

function resourceOf(declaration: Node, parent?: ResourceSymbol): ResourceSymbol {
  const named = partOfType(declaration, 'string')
  const [type = '', version] = plainText(named ?? declaration).split('@')
  const symbol: ResourceSymbol = {
    kind: 'resource',
    type: parent === undefined ? type : `${parent.type}/${type}`,
    apiVersion: version ?? parent?.apiVersion ?? '',
    existing: declaration.words.includes('existing'),
    parent,
    nested: new Map(),
    ...bodyOf(declaration),
  }
  for (const member of partsOf(symbol.object)) {
    const inner = partOfType(member, 'resource_declaration')
    if (inner !== undefined) symbol.nested.set(declaredName(inner), resourceOf(inner, symbol))
  }
  return symbol
}

const writtenType = (declaration: Node): string =>
  partOfType(declaration, 'type')?.text ?? partsOf(declaration)[1]?.text ?? ''

const typeOf = (declaration: Node): string => {
  const written = writtenType(declaration)
  return written.endsWith('[]') ? 'array' : written
}

const rulesOf = (decorators: Node | undefined): Map<string, Node> =>
  new Map(
    (decorators === undefined ? [] : partsOf(decorators)).map(decorator => {
      const call = lastPart(decorator)
      const args = field(call, 'arguments')
      return [field(call, 'function').text, partsOf(args)[0] ?? args]
    }),
  )

const templates = new Map<string, Template>()

/** Reads a template or a parameter file. The assignments of a parameter file are read as variables. */
export function readTemplate(file: string): Template {
  const known = templates.get(file)
  if (known !== undefined) return known
  const root = parseBicep(file)
  const symbols = new Map<string, BicepSymbol>()
  let decorators: Node | undefined
  for (const declaration of partsOf(root)) {
    const name = declaredName(declaration)
    switch (declaration.type) {
      case 'decorators':
        decorators = declaration
        continue
      case 'parameter_declaration': {
        const otherwise = partsOf(declaration)[2]
        const [type, written] = [typeOf(declaration), writtenType(declaration)]
        symbols.set(name, { kind: 'parameter', type, written, otherwise, rules: rulesOf(decorators) })
        break
      }
      case 'variable_declaration':
        symbols.set(name, { kind: 'variable', value: lastPart(declaration) })
        break
      case 'output_declaration':
        symbols.set(`output ${name}`, {
          kind: 'output',
          type: typeOf(declaration),
          value: lastPart(declaration),
          rules: rulesOf(decorators),
        })
        break
      case 'resource_declaration':
        symbols.set(name, resourceOf(declaration))
        break
      case 'module_declaration': {
        const path = join(dirname(file), plainText(partOfType(declaration, 'string') ?? declaration))
        symbols.set(name, { kind: 'module', path, ...bodyOf(declaration) })
        break
      }
      case 'import_functionality': {
        const path = join(dirname(file), plainText(partOfType(declaration, 'string') ?? declaration))
        for (const { type, text } of partsOf(declaration))
          if (type === 'identifier') symbols.set(text, { kind: 'import', path })
        break
      }
      case 'target_scope_assignment':
        break
      default:
        throw new Error(`${file}: ${declaration.type} is not read by this test`)
    }
    decorators = undefined
  }
  const template = { file, root, symbols }
  templates.set(file, template)
  return template
}
