import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { root } from '../../local/build/bundle.ts'
import { errorKinds } from '../../shared/errors.ts'
import { operations as declared } from '../../shared/openapi/operations.ts'
import { type Json, operations } from '../support/definition.ts'
import { type Action, faultsOf, groupsIn, textsIn, type Workflow } from '../support/workflow.ts'

const read = <T>(path: string): T => JSON.parse(readFileSync(`${root}infra/logic-apps/${path}`, 'utf8')) as T

const standard = read<{ kind: string; definition: Workflow }>('standard/order-lines/workflow.json')
const standardParameters = read<Record<string, { type: string; value: string }>>('standard/parameters.json')
const flow = read<{ properties: { definition: Workflow; connectionReferences: Json } }>(
  'power-automate/new-order-to-teams.json',
).properties

const samples = [
  { name: 'Logic Apps Standard', definition: standard.definition, parameters: Object.keys(standardParameters) },
  { name: 'Power Automate', definition: flow.definition, parameters: Object.keys(flow.definition.parameters) },
]

describe.each(samples)('the sample for $name', ({ definition, parameters }) => {
  const groups = [...groupsIn(definition.actions)]

  test('is a workflow definition', () => {
    expect(faultsOf(definition)).toEqual([])
  })

  test('runs each action after ones of its own group, with no circle', () => {
    for (const group of groups) {
      const order: string[] = []
      const left = new Map(Object.entries(group))
      while (left.size > 0) {
        const ready = [...left].filter(([, { runAfter = {} }]) =>
          Object.keys(runAfter).every(name => order.includes(name)),
        )
        expect(ready.length, `nothing can run of ${[...left.keys()].join(', ')}`).toBeGreaterThan(0)
        for (const [name] of ready) {
          order.push(name)
          left.delete(name)
        }
      }
    }
  })

  test('names only actions, parameters and variables that exist, in balanced expressions', () => {
    const names = groups.flatMap(Object.keys)
    const variables = groups
      .flatMap(group => Object.values(group))
      .flatMap(({ type, inputs }) => (type === 'InitializeVariable' ? (inputs?.variables as { name: string }[]) : []))
      .map(({ name }) => name)
    for (const text of textsIn(definition).filter(text => text.includes('@'))) {
      for (const [, name] of text.matchAll(/(?:body|outputs|items|actions)\('([^']+)'\)/g))
        expect(names, text).toContain(name)
      for (const [, name] of text.matchAll(/parameters\('([^']+)'\)/g)) expect(parameters, text).toContain(name)
      for (const [, name] of text.matchAll(/variables\('([^']+)'\)/g)) expect(variables, text).toContain(name)
      expect(text.split('(').length, text).toBe(text.split(')').length)
    }
  })

  test('has an error branch that reads error.code, and holds no secret', () => {
    const handlers = groups
      .flatMap(group => Object.values(group))
      .filter(({ runAfter = {} }) =>
        Object.values(runAfter).some(statuses => statuses.includes('Failed') && statuses.includes('TimedOut')),
      )
    expect(handlers.length).toBeGreaterThan(0)
    expect(textsIn(handlers).some(text => text.includes("['error']?['code']"))).toBe(true)
    expect(textsIn(definition).join('\n')).not.toMatch(/x-functions-key|[?&]code=|sig=|[A-Za-z0-9_-]{50,}==/)
  })
})

describe('the sample for Logic Apps Standard', () => {
  const texts = textsIn(standard.definition)

  test('calls a route of ours with parameters it takes', () => {
    const uris = texts.filter(text => text.includes('/api/'))
    expect(uris.length).toBeGreaterThan(0)
    for (const uri of uris) {
      const [path = '', query = ''] = uri.replace(/^@\{parameters\('appUrl'\)\}\/api/, '').split('?')
      const route = path.replaceAll(/@\{parameters\('(\w+)'\)\}/g, '{$1}')
      const operation = declared.find(each => each.path === route)
      expect(operation, route).toBeDefined()
      for (const [name, value] of new URLSearchParams(query)) {
        const schema = operation?.parameters.query[name] as
          | { safeParse: (value: unknown) => { success: boolean } }
          | undefined
        expect(schema?.safeParse(value).success, `${name}=${value}`).toBe(true)
      }
    }
  })

  test('tells failures apart by codes that we have, and signs in with the managed identity', () => {
    const cases = [...groupsIn(standard.definition.actions)]
      .flatMap(group => Object.values(group))
      .flatMap(({ cases = {} }) => Object.values(cases))
    expect(cases.length).toBeGreaterThan(0)
    for (const { case: code } of cases) expect(Object.keys(errorKinds)).toContain(code)
    const [http] = [...groupsIn(standard.definition.actions)]
      .flatMap(group => Object.values(group))
      .filter(({ type }) => type === 'Http')
    expect(http?.inputs?.authentication).toEqual({
      type: 'ManagedServiceIdentity',
      audience: "@parameters('appAudience')",
    })
    for (const { value } of Object.values(standardParameters)) expect(value).toMatch(/^@appsetting\('\w+'\)$/)
  })
})

describe('the sample for Power Automate', () => {
  const calls: Action[] = [
    ...Object.values(flow.definition.triggers),
    ...[...groupsIn(flow.definition.actions)].flatMap(group => Object.values(group)),
  ]
  const ours = calls.filter(
    ({ inputs }) => (inputs?.host as Json | undefined)?.connectionName === 'shared_partnercenterorders',
  )

  /** The schema that a path of members leads to in an answer. */
  const follow = (schema: Json | undefined, members: string[]): Json | undefined =>
    members.reduce<Json | undefined>((at, member) => ((at?.properties ?? {}) as Record<string, Json>)[member], schema)

  test('uses operations of the connector with parameters they take', () => {
    expect(ours).toHaveLength(2)
    for (const { inputs } of ours) {
      const operationId = (inputs?.host as { operationId: string } | undefined)?.operationId
      const operation = operations.find(each => each.operation.operationId === operationId)?.operation
      const given = inputs?.parameters as Json
      expect(operation?.parameters.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(given)))
      for (const { name, required } of operation?.parameters ?? []) if (required) expect(given).toHaveProperty(name)
      for (const [name, value] of Object.entries(given)) {
        const values = operation?.parameters.find(parameter => parameter.name === name)?.enum as string[] | undefined
        if (values !== undefined) expect(values).toContain(value)
      }
    }
  })

  test('reads members of a change that its trigger gives', () => {
    const trigger = operations.find(({ operation }) => operation.operationId === 'OnOrderChanged')?.operation
    const change = follow(trigger?.responses['200']?.schema, ['value'])?.items as Json
    const paths = textsIn(flow.definition).flatMap(text =>
      [...text.matchAll(/triggerBody\(\)((?:\?\['\w+'\])+)/g)].map(([, path = '']) =>
        [...path.matchAll(/'(\w+)'/g)].map(([, member = '']) => member),
      ),
    )
    expect(paths.length).toBeGreaterThan(5)
    for (const path of paths) expect(follow(change, path), path.join('.')).toBeDefined()
    const line = follow(change, ['order', 'lineItems'])?.items as Json
    for (const text of textsIn(flow.definition)) {
      for (const [, member = ''] of text.matchAll(/items\('For_each_line'\)\?\['(\w+)'\]/g))
        expect(follow(line, [member]), member).toBeDefined()
    }
  })

  test('splits the trigger into one run an item, and names every connection it uses', () => {
    const [trigger] = Object.values(flow.definition.triggers) as (Action & { splitOn: string })[]
    expect(trigger?.splitOn).toBe("@triggerOutputs()?['body/value']")
    const used = calls.flatMap(
      ({ inputs }) => ((inputs?.host as Json | undefined)?.connectionName as string | undefined) ?? [],
    )
    expect([...new Set(used)].sort()).toEqual(Object.keys(flow.connectionReferences).sort())
  })
})
