import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { root } from '../../local/build/bundle.ts'
import { errorKinds } from '../../shared/errors.ts'
import { operations as declared } from '../../shared/openapi/operations.ts'
import { type Json, operations } from '../support/definition.ts'
import { type Action, faultsOf, groupsIn, textsIn, type Workflow } from '../support/workflow.ts'
import { readsOf } from '../support/workflow-members.ts'

const read = <T>(path: string): T => JSON.parse(readFileSync(`${root}infra/logic-apps/${path}`, 'utf8')) as T

const standard = read<{ kind: string; definition: Workflow }>('standard/order-lines/workflow.json')
const standardParameters = read<Record<string, { type: string; value: string }>>('standard/parameters.json')
type Flow = { definition: Workflow; connectionReferences: Json }
const flowNames = readdirSync(`${root}infra/logic-apps/power-automate`).filter(name => name.endsWith('.json'))
const flows = flowNames.map(name => ({ name, ...read<{ properties: Flow }>(`power-automate/${name}`).properties }))

const samples = [
  { name: 'Logic Apps Standard', definition: standard.definition, parameters: Object.keys(standardParameters) },
  ...flows.map(({ name, definition }) => ({ name, definition, parameters: Object.keys(definition.parameters) })),
]

describe.each(samples)('the sample $name', ({ definition, parameters }) => {
  const groups = [...groupsIn(definition.actions)]

  test('the sample is a workflow definition', () => {
    expect(faultsOf(definition)).toEqual([])
  })

  test('the sample runs each action after actions of its own group, without a cycle', () => {
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

  test('the sample names only actions, parameters and variables that exist, in balanced expressions', () => {
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

  test('the sample has an error branch that reads error.code, and contains no secret', () => {
    const handlers = groups
      .flatMap(group => Object.values(group))
      .filter(({ runAfter = {} }) =>
        Object.values(runAfter).some(statuses => statuses.includes('Failed') && statuses.includes('TimedOut')),
      )
    expect(handlers.length).toBeGreaterThan(0)
    expect(textsIn(handlers).some(text => text.includes("['error']?['code']"))).toBe(true)
    expect(textsIn(definition).join('\n')).not.toMatch(/[?&]code=|sig=|[A-Za-z0-9_-]{50,}==/)
  })
})

describe('the sample for Logic Apps Standard', () => {
  const texts = textsIn(standard.definition)

  test('the sample for Logic Apps Standard calls a route of this app with valid parameters', () => {
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

  test('the sample for Logic Apps Standard distinguishes failures by existing codes, and signs in with the managed identity', () => {
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
    // With Entra ID sign-in, the functions still require their key. Run histories must not show it.
    expect(http?.inputs?.headers).toEqual({ 'x-functions-key': "@parameters('appKey')" })
    expect(http?.runtimeConfiguration).toEqual({ secureData: { properties: ['inputs'] } })
    expect(standardParameters.appKey?.type).toBe('SecureString')
    for (const { value } of Object.values(standardParameters)) expect(value).toMatch(/^@appsetting\('\w+'\)$/)
  })
})

const connection = 'shared_partnercenterorders'

describe.each(flows)('the flow $name', ({ definition, connectionReferences }) => {
  const actions = [...groupsIn(definition.actions)].flatMap(group => Object.values(group))
  const calls: Action[] = [...Object.values(definition.triggers), ...actions]
  const hostOf = ({ inputs }: Action) => inputs?.host as { connectionName: string; operationId: string } | undefined
  const ours = calls.filter(call => hostOf(call)?.connectionName === connection)
  const operationOf = (call: Action) =>
    operations.find(({ operation }) => operation.operationId === hostOf(call)?.operationId)?.operation

  test('the flow uses operations of the connector with valid parameters', () => {
    expect(ours.length).toBeGreaterThan(0)
    for (const call of ours) {
      const operation = operationOf(call)
      const given = call.inputs?.parameters as Json
      expect(operation?.parameters.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(given)))
      for (const { name, required } of operation?.parameters ?? []) if (required) expect(given).toHaveProperty(name)
      for (const [name, value] of Object.entries(given)) {
        const values = operation?.parameters.find(parameter => parameter.name === name)?.enum as string[] | undefined
        if (values !== undefined) expect(values).toContain(value)
      }
    }
  })

  test('the flow requests all pages of the lists that it processes', () => {
    const walked = textsIn(actions.map(({ foreach, inputs }) => [foreach ?? '', inputs?.from ?? '']))
    for (const [name, call] of [...groupsIn(definition.actions)].flatMap(group => Object.entries(group))) {
      if (operationOf(call)?.['x-ms-pageable'] === undefined) continue
      const isWalked = walked.some(text => text.includes(`body('${name}')`))
      expect(call.runtimeConfiguration?.paginationPolicy !== undefined, name).toBe(isWalked)
    }
  })

  test('the flow reads members that the connector returns', () => {
    const reads = readsOf(definition, connection)
    expect(reads.length).toBeGreaterThan(2)
    expect(reads.filter(({ isKnown }) => !isKnown).map(({ of, path }) => `${of} ${path.join('/')}`)).toEqual([])
  })

  test('the flow names every connection it uses, and starts one run per item', () => {
    const used = calls.flatMap(call => hostOf(call)?.connectionName ?? [])
    expect([...new Set(used)].sort()).toEqual(Object.keys(connectionReferences).sort())
    for (const trigger of Object.values(definition.triggers) as (Action & { splitOn?: string })[]) {
      const isPolling = operationOf(trigger)?.['x-ms-trigger'] === 'batch'
      expect(trigger.splitOn).toBe(isPolling ? "@triggerOutputs()?['body/value']" : undefined)
    }
  })
})
