/**
 * The expressions of workflow definitions that the samples use
 * (learn.microsoft.com/azure/logic-apps/expression-functions-reference).
 */
export type Functions = Record<string, (...values: unknown[]) => unknown>

type Node = (functions: Functions) => unknown

const token = /\s*(?:'((?:[^']|'')*)'|(-?\d+(?:\.\d+)?)|(\w+)|([(),?[\]]))/y

function parse(text: string): Node {
  token.lastIndex = 0
  let at = 0
  const next = (): { text?: string; number?: number; name?: string; mark?: string } => {
    token.lastIndex = at
    const match = token.exec(text)
    if (match === null) throw new Error(`Not an expression: ${text}`)
    at = token.lastIndex
    const [, quoted, number, name, mark] = match
    if (quoted !== undefined) return { text: quoted.replaceAll("''", "'") }
    if (number !== undefined) return { number: Number(number) }
    return name === undefined ? { mark: mark ?? '' } : { name }
  }
  const isNext = (mark: string) => text.slice(at).trimStart().startsWith(mark)
  const expect = (mark: string) => {
    if (next().mark !== mark) throw new Error(`${mark} is missing at ${at} of ${text}`)
  }

  function value(): Node {
    const { text: literal, number, name } = next()
    if (literal !== undefined) return members(() => literal)
    if (number !== undefined) return () => number
    if (name === undefined) throw new Error(`Not a value at ${at} of ${text}`)
    if (!isNext('(')) throw new Error(`Not a function: ${name} in ${text}`)
    expect('(')
    const given: Node[] = []
    while (!isNext(')')) {
      given.push(value())
      if (isNext(',')) expect(',')
    }
    expect(')')
    return members(functions => {
      const made = functions[name]
      if (made === undefined) throw new Error(`Not a function: ${name} in ${text}`)
      return made(...given.map(each => each(functions)))
    })
  }

  function members(of: Node): Node {
    const isOptional = isNext('?')
    if (isOptional) expect('?')
    else if (!isNext('[')) return of
    expect('[')
    const member = value()
    expect(']')
    return members(functions => {
      const object = of(functions) as Record<string, unknown> | null | undefined
      const key = String(member(functions))
      if (object !== null && object !== undefined && Object.hasOwn(object, key)) return object[key]
      if (isOptional) return null
      throw new Error(`There is no ${key} in ${text}`)
    })
  }

  const whole = value()
  if (text.slice(at).trim() !== '') throw new Error(`Something follows in ${text}`)
  return whole
}

const asText = (value: unknown): string =>
  value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)

/** The functions that depend only on their arguments. */
export const plainFunctions: Functions = {
  concat: (...values) => values.map(asText).join(''),
  coalesce: (...values) => values.find(value => value !== null && value !== undefined) ?? null,
  equals: (a, b) => a === b,
  not: value => value !== true,
  greater: (a, b) => Number(a) > Number(b),
  less: (a, b) => String(a) < String(b),
  contains: (list, value) => (Array.isArray(list) ? list.includes(value) : String(list).includes(String(value))),
  if: (condition, then, otherwise) => (condition === true ? then : otherwise),
  first: list => (list as unknown[])[0] ?? null,
  length: list => (list as unknown[]).length,
  join: (list, separator) => (list as unknown[]).map(asText).join(String(separator)),
  addHours: (time, hours) => new Date(Date.parse(String(time)) + Number(hours) * 3_600_000).toISOString(),
}

/** A value of a definition with all its expressions evaluated. */
export function evaluate(value: unknown, functions: Functions): unknown {
  if (typeof value === 'string') {
    if (/^@[^{@]/.test(value)) return parse(value.slice(1))(functions)
    return value.replaceAll(/@\{([^}]*)\}/g, (_, expression: string) => asText(parse(expression)(functions)))
  }
  if (Array.isArray(value)) return value.map(each => evaluate(each, functions))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, evaluate(member, functions)]))
}
