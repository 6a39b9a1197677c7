import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { answersOf } from './answers.ts'
import { functions, operators, resourceId, uniqueString, type Value, type World } from './functions.ts'
import { field, keyNode, lastPart, type Node, partsOf, unescaped } from './syntax.ts'
import {
  type Body,
  type ModuleSymbol,
  type ParameterSymbol,
  type ResourceSymbol,
  readTemplate,
  type Template,
} from './template.ts'

type Members = Record<string, Value>

export type Resource = {
  type: string
  name: string
  apiVersion: string
  /** The resource of a role assignment or a diagnostic setting. Empty for the resource group. */
  scope: string
  kind?: string
  sku?: { name: string }
  tags: Record<string, string>
  properties: Members
}

export type Deployment = { resources: Resource[]; outputs: Members }

/** A resource or module in an expression. */
type Reference = {
  id?: string
  name?: string
  fullName?: string
  properties?: Members
  outputs?: Members
  nested?: Members
}

const jsonTypes: Record<string, (value: Value) => boolean> = {
  string: value => typeof value === 'string',
  int: Number.isInteger,
  bool: value => typeof value === 'boolean',
  array: Array.isArray,
  object: value => typeof value === 'object' && value !== null && !Array.isArray(value),
}

/** A module is a separate deployment inside the resource group. */
export const deploymentType = 'Microsoft.Resources/deployments'

/** Not a name of the language. It stores the index of a loop for the body. */
const roundOfLoop = ' round'

/** The results of modules by their arguments, because most combinations of parameters change few modules. */
const modules = new WeakMap<Template, Map<string, Deployment>>()

/**
 * Evaluates a template like Azure: parameters, conditions, loops and modules, down to the resources. Throws for errors
 * of the compiler or of Azure: an unknown name, and a missing, unknown or invalid parameter.
 */
export function deploy(template: Template, given: Members, world: World, deployment = 'main'): Deployment {
  const { file, symbols } = template
  const variables = new Map<string, Value>()
  const deployedModules = new Map<string, Deployment>()

  function refuse(message: string): never {
    throw new Error(`${file}: ${message}`)
  }

  function evaluate(node: Node, scope: Members = {}): Value {
    switch (node.type) {
      case 'parenthesized_expression':
        return evaluate(lastPart(node), scope)
      case 'string':
        return text(node, scope)
      case 'number':
        return Number(node.text)
      case 'boolean':
        return node.text === 'true'
      case 'null':
        return null
      case 'array':
        return partsOf(node).map(part => evaluate(part, scope))
      case 'object':
        return members(node, scope)
      case 'for_statement':
        return loop(node, scope)
      case 'identifier':
        return named(node.text, scope)
      case 'lambda_expression': {
        const { text: item } = keyNode(node) ?? refuse(`parameter of ${node.text}`)
        return (value: Value) => evaluate(lastPart(node), { ...scope, [item]: value })
      }
      case 'ternary_expression':
        return evaluate(field(node, isTrue(node, scope) ? 'consequence' : 'alternative'), scope)
      case 'unary_expression':
        return evaluate(field(node, 'argument'), scope) !== true
      case 'binary_expression': {
        const operator = operators[field(node, 'operator').text] ?? refuse(`operator in ${node.text}`)
        return operator(evaluate(field(node, 'left'), scope), () => evaluate(field(node, 'right'), scope))
      }
      case 'call_expression':
        return call(field(node, 'function').text, partsOf(field(node, 'arguments')), scope)
      case 'member_expression':
        return member(field(node, 'object'), [field(node, 'property').text], scope)
      case 'subscript_expression': {
        const object = evaluate(field(node, 'object'), scope)
        return pick(object, evaluate(field(node, 'index'), scope) as string)
      }
      case 'resource_expression': {
        const { nested } = evaluate(field(node, 'object'), scope) as Reference
        return pick(nested, field(node, 'resource').text)
      }
      default:
        return refuse(`${node.type} is not read by this test: ${node.text}`)
    }
  }

  const isTrue = (node: Node, scope: Members): boolean => evaluate(field(node, 'condition'), scope) === true

  function pick(object: Value, key: string | number): Value {
    if (typeof object !== 'object' || object === null || !(key in object))
      refuse(`there is no ${key} in ${JSON.stringify(object)}`)
    return (object as Members)[key]
  }

  /** The grammar attaches `.a` in `x ? y : z.a` to the whole expression. The language attaches it to `z`. */
  function member(object: Node, path: string[], scope: Members): Value {
    if (object.type === 'member_expression')
      return member(field(object, 'object'), [field(object, 'property').text, ...path], scope)
    if (object.type !== 'ternary_expression')
      return path.reduce((value: Value, key) => pick(value, key), evaluate(object, scope))
    if (isTrue(object, scope)) return evaluate(field(object, 'consequence'), scope)
    return member(field(object, 'alternative'), path, scope)
  }

  function text(node: Node, scope: Members): string {
    const pieces = partsOf(node).map(part =>
      part.type === 'interpolation' ? String(evaluate(lastPart(part), scope)) : unescaped(part.text),
    )
    return pieces.join('')
  }

  function members(node: Node, scope: Members, without: string[] = []): Members {
    const entries = partsOf(node).flatMap(entry => {
      const key = keyNode(entry)
      if (key === undefined || key.type === 'resource_declaration') return []
      const name = key.type === 'string' ? text(key, scope) : key.text
      return without.includes(name) ? [] : [[name, evaluate(lastPart(entry), scope)] as const]
    })
    return Object.fromEntries(entries)
  }

  function loop(node: Node, scope: Members): Value[] {
    const item = field(node, 'initializer').text
    const list = partsOf(node)[1] ?? refuse(`loop ${node.text}`)
    return (evaluate(list, scope) as Value[]).map(value => evaluate(field(node, 'body'), { ...scope, [item]: value }))
  }

  function call(name: string, args: Node[], scope: Members): Value {
    const values = args.map(each => evaluate(each, scope))
    if (name === 'loadTextContent' || name === 'loadJsonContent') {
      const content = readFileSync(join(dirname(file), String(values[0])), 'utf8')
      return name === 'loadTextContent' ? content : JSON.parse(content)
    }
    const implementation = functions[name] ?? refuse(`the function ${name} is unknown to this test`)
    return implementation(values, world)
  }

  function named(name: string, scope: Members): Value {
    if (name in scope) return scope[name]
    const symbol = symbols.get(name) ?? refuse(`nothing is named ${name}`)
    switch (symbol.kind) {
      case 'parameter':
        return parameter(name, symbol)
      case 'variable': {
        if (!variables.has(name)) variables.set(name, evaluate(symbol.value))
        return variables.get(name)
      }
      case 'import':
        return exported(symbol.path, name)
      case 'output':
        return refuse(`${name} is an output`)
      default: {
        const each = instances(symbol, {}).map(inner =>
          symbol.kind === 'resource' ? resourceReference(symbol, inner) : moduleReference(name, symbol, inner),
        )
        return symbol.loop === undefined ? each[0] : each
      }
    }
  }

  function exported(path: string, name: string): Value {
    const other = readTemplate(path)
    const symbol = other.symbols.get(name)
    if (symbol?.kind !== 'variable') return refuse(`${path} has no ${name}`)
    return deployedVariable(other, symbol.value, world)
  }

  function parameter(name: string, { otherwise, type, rules }: ParameterSymbol): Value {
    if (!(name in given) && otherwise === undefined) refuse(`the parameter ${name} is missing`)
    const value = name in given || otherwise === undefined ? given[name] : evaluate(otherwise)
    if (jsonTypes[type]?.(value) === false) refuse(`the parameter ${name} is not of type ${type}`)
    const size = typeof value === 'number' ? value : (value as string).length
    const rule = (key: string): Value => {
      const node = rules.get(key)
      return node === undefined ? undefined : evaluate(node)
    }
    const allowed = rule('allowed') as Value[] | undefined
    const least = (rule('minValue') ?? rule('minLength') ?? size) as number
    const most = (rule('maxValue') ?? rule('maxLength') ?? size) as number
    if (allowed?.includes(value) === false || size < least || size > most)
      refuse(`the parameter ${name} may not be ${JSON.stringify(value)}`)
    return value
  }

  /** The names in scope in a body, for each round of its loop. */
  function instances({ loop }: Body, scope: Members): Members[] {
    if (loop === undefined) return [scope]
    const { item, index } = loop
    return (evaluate(loop.list, scope) as Value[]).map((value, at) => ({
      ...scope,
      [item]: value,
      ...(index === undefined ? {} : { [index]: at }),
      [roundOfLoop]: at,
    }))
  }

  const memberOf = (object: Node, key: string, scope: Members): Value => {
    const found = partsOf(object).find(entry => keyNode(entry)?.text === key)
    return found === undefined ? undefined : evaluate(lastPart(found), scope)
  }

  function nameOf({ object, parent }: ResourceSymbol, scope: Members): string {
    const above =
      parent === undefined ? (memberOf(object, 'parent', scope) as Reference | undefined)?.fullName : undefined
    const own = String(memberOf(object, 'name', scope))
    const prefix = parent === undefined ? above : nameOf(parent, scope)
    return prefix === undefined ? own : `${prefix}/${own}`
  }

  function resourceReference(symbol: ResourceSymbol, scope: Members): Reference {
    const name = nameOf(symbol, scope)
    const nested = [...symbol.nested].map(([key, inner]) => [key, resourceReference(inner, scope)])
    return {
      id: resourceId(symbol.type, name),
      fullName: name,
      // Its name in the template, without its parents.
      name: String(memberOf(symbol.object, 'name', scope)),
      properties: answersOf(name, world),
      nested: Object.fromEntries(nested),
    }
  }

  function moduleReference(name: string, symbol: ModuleSymbol, scope: Members): Reference {
    return {
      get outputs() {
        if (!isDeployed(symbol, scope)) refuse(`${name} is not deployed`)
        return deployModule(name, symbol, scope).outputs
      },
    }
  }

  const isDeployed = ({ condition }: Body, scope: Members): boolean =>
    condition === undefined || evaluate(condition, scope) === true

  /** The written name, or the one that the compiler generates: unique among the modules of this deployment. */
  function deploymentName(name: string, { object, loop }: ModuleSymbol, scope: Members): string {
    const own = memberOf(object, 'name', scope)
    if (own !== undefined) return String(own)
    const place = loop === undefined ? [] : [scope[roundOfLoop]]
    return [name, ...place, uniqueString([name, deployment])].join('-')
  }

  function deployModule(name: string, symbol: ModuleSymbol, scope: Members): Deployment {
    const place = `${name} ${scope[roundOfLoop]}`
    const before = deployedModules.get(place)
    if (before !== undefined) return before
    const module = readTemplate(symbol.path)
    const parameters = (memberOf(symbol.object, 'params', scope) ?? {}) as Members
    const inner = deploymentName(name, symbol, scope)
    const known = modules.get(module) ?? new Map<string, Deployment>()
    modules.set(module, known)
    const key = JSON.stringify([inner, world, parameters])
    const made = known.get(key) ?? deploy(module, parameters, world, inner)
    known.set(key, made)
    deployedModules.set(place, made)
    return made
  }

  function deployResource(symbol: ResourceSymbol, scope: Members): Resource[] {
    const { type, apiVersion, existing, object, nested } = symbol
    const below = [...nested.values()].flatMap(inner => instances(inner, scope).map(each => [inner, each] as const))
    const inner = below.flatMap(([child, each]) => (isDeployed(child, each) ? deployResource(child, each) : []))
    if (existing) return inner
    const target = memberOf(object, 'scope', scope) as Reference | undefined
    const body = members(object, scope, ['name', 'parent', 'scope'])
    const own = { tags: {}, properties: {}, ...body, type, apiVersion, name: nameOf(symbol, scope) }
    return [{ ...own, scope: target?.id ?? '' } as Resource, ...inner]
  }

  for (const name of Object.keys(given))
    if (symbols.get(name)?.kind !== 'parameter') refuse(`${name} is not a parameter`)

  const resources = [...symbols].flatMap(([name, symbol]) => {
    if (symbol.kind === 'parameter') named(name, {})
    if (symbol.kind !== 'resource' && symbol.kind !== 'module') return []
    return instances(symbol, {}).flatMap(scope => {
      if (!isDeployed(symbol, scope)) return []
      if (symbol.kind === 'resource') return deployResource(symbol, scope)
      const own = {
        type: deploymentType,
        name: deploymentName(name, symbol, scope),
        scope: '',
        tags: {},
        properties: {},
      }
      return [{ ...own, apiVersion: '' }, ...deployModule(name, symbol, scope).resources]
    })
  })
  const outputs = [...symbols].flatMap(([name, symbol]) =>
    symbol.kind === 'output' ? [[name.replace('output ', ''), evaluate(symbol.value)]] : [],
  )
  return { resources, outputs: Object.fromEntries(outputs) }
}

const deployedVariable = (template: Template, value: Node, world: World): Value =>
  deploy(
    { ...template, symbols: new Map([['output value', { kind: 'output', type: 'object', value, rules: new Map() }]]) },
    {},
    world,
  ).outputs.value

/** The parameters that a parameter file assigns. */
export function parametersOf(file: string, world: World): Members {
  const { symbols, ...rest } = readTemplate(file)
  const assigned = new Map(
    [...symbols].flatMap(([name, symbol]) =>
      symbol.kind === 'variable'
        ? [[`output ${name}`, { ...symbol, kind: 'output' as const, type: '', rules: new Map() }]]
        : [],
    ),
  )
  return deploy({ ...rest, symbols: assigned }, {}, world).outputs
}
