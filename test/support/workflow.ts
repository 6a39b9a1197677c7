import Ajv from 'ajv'
import schema from './workflow-definition.schema.json' with { type: 'json' }

export type Action = {
  type: string
  inputs?: Record<string, unknown>
  runAfter?: Record<string, string[]>
  expression?: unknown
  foreach?: string
  runtimeConfiguration?: Record<string, unknown>
  actions?: Record<string, Action>
  else?: { actions: Record<string, Action> }
  cases?: Record<string, { case: string; actions: Record<string, Action> }>
  default?: { actions: Record<string, Action> }
}
export type Workflow = {
  parameters: Record<string, unknown>
  triggers: Record<string, Action>
  actions: Record<string, Action>
}

/**
 * The rules of the workflow definition language for the actions used here
 * (learn.microsoft.com/azure/logic-apps/workflow-definition-language-schema).
 */
const ajv = new Ajv.default({ strict: false, allErrors: true })
const validate = ajv.compile(schema)

export const faultsOf = (definition: unknown): string[] =>
  validate(definition) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)

/** Every group of actions that run in turn, including nested ones. */
export function* groupsIn(actions: Record<string, Action>): Generator<Record<string, Action>> {
  yield actions
  for (const action of Object.values(actions)) {
    if (action.actions) yield* groupsIn(action.actions)
    for (const branch of Object.values(action.cases ?? {})) yield* groupsIn(branch.actions)
    if (action.else) yield* groupsIn(action.else.actions)
    if (action.default) yield* groupsIn(action.default.actions)
  }
}

/** All texts in a value, including expressions. */
export function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}
