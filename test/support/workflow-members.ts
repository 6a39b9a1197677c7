import type { Json } from './definition.ts'
import { operations } from './definition.ts'
import type { Action, Workflow } from './workflow.ts'
import { groupsIn, textsIn } from './workflow.ts'

/** A member that an expression reads, and its source, such as `body('Get_order')`. */
export type Read = { of: string; path: string[]; text: string }

/** The shape of every failure, which is the `body` of a failed action. */
const failure: Json = {
  type: 'object',
  properties: { error: { type: 'object', properties: { code: { type: 'string' }, message: { type: 'string' } } } },
}

const reading = /(triggerBody\(\)|(?:body|items|outputs)\('[^']+'\)|item\(\))((?:\?\['[^']+'\])*)/g

const pathOf = (members: string): string[] => [...members.matchAll(/'([^']+)'/g)].map(([, member = '']) => member)

const memberOf = (schema: Json | undefined, path: string[]): Json | undefined =>
  path.reduce<Json | undefined>((at, member) => ((at?.properties ?? {}) as Record<string, Json>)[member], schema)

/**
 * The members that a flow reads of responses of its own connector, each with whether the definition has it. The
 * responses of other connectors are not known here.
 */
export function readsOf({ triggers, actions }: Workflow, connection: string): (Read & { isKnown: boolean })[] {
  const named = new Map([...groupsIn(actions)].flatMap(group => Object.entries(group)))
  const answerOf = ({ inputs }: Action): Json | undefined => {
    const host = inputs?.host as { connectionName: string; operationId: string } | undefined
    if (host?.connectionName !== connection) return undefined
    const found = operations.find(({ operation }) => operation.operationId === host.operationId)
    return found?.operation.responses['200']?.schema
  }
  const itemsOf = (schema: Json | undefined) => schema?.items as Json | undefined

  /** The possible schemas of an expression's value. Empty for another connector. */
  function schemasOf(expression: unknown, source?: unknown): Json[] {
    const [[, of = '', members = ''] = []] = [...String(expression).matchAll(reading)]
    const [, name = ''] = /'([^']+)'/.exec(of) ?? []
    const action = named.get(name)
    const given = ((): (Json | undefined)[] => {
      if (of === 'triggerBody()')
        return Object.values(triggers).map(each => itemsOf(memberOf(answerOf(each), ['value'])))
      if (of === 'item()') return schemasOf(source).map(itemsOf)
      if (of.startsWith('items(')) return schemasOf(action?.foreach).map(itemsOf)
      if (action?.type === 'Query') return schemasOf(action.inputs?.from)
      if (action?.type === 'Compose') {
        const whole = schemasOf(action.inputs)
        return String(action.inputs).startsWith('@first(') ? whole.map(itemsOf) : whole
      }
      const answer = action === undefined ? undefined : answerOf(action)
      if (answer === undefined) return []
      return of.startsWith('outputs(') ? [{ properties: { statusCode: {}, body: answer } }] : [answer, failure]
    })()
    return given.map(schema => memberOf(schema, pathOf(members))).filter(schema => schema !== undefined)
  }

  return [...named.values(), ...Object.values(triggers)].flatMap(action => {
    const { actions: _, cases: __, else: ___, default: ____, ...own } = action
    const source = own.inputs?.from
    return textsIn(own).flatMap(text =>
      [...text.matchAll(reading)].flatMap(([whole, of = '', members = '']) => {
        if (members === '' || schemasOf(of, source).length === 0) return []
        return { of, path: pathOf(members), text, isKnown: schemasOf(whole, source).length > 0 }
      }),
    )
  })
}
