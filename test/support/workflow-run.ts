import type { Action } from './workflow.ts'
import { evaluate, type Functions, plainFunctions } from './workflow-expression.ts'

export type Answer = { statusCode: number; body: unknown }

/** The calls of a connection's actions. `all` requests every page. */
export type Connectors = Record<
  string,
  (operationId: string, parameters: Record<string, unknown>, all: boolean) => Promise<Answer>
>

export type Run = { status: 'Succeeded' | 'Failed'; message?: string }

type Status = 'Succeeded' | 'Failed' | 'Skipped'

type Options = {
  actions: Record<string, Action>
  connectors: Connectors
  parameters?: Record<string, string>
  /** The item that started the run. */
  trigger?: Record<string, unknown>
  now?: Date
}

class Terminated extends Error {}

/** Runs the actions of a workflow like the platform, in turn. */
export async function runWorkflow({ actions, connectors, parameters = {}, trigger, now }: Options): Promise<Run> {
  const outputs = new Map<string, unknown>()
  const variables = new Map<string, unknown>()
  const loops = new Map<string, unknown>()
  let item: unknown

  const known = <T>(map: ReadonlyMap<string, T>, name: unknown): T => {
    const value = map.get(String(name))
    if (value === undefined) throw new Error(`Nothing is known of ${String(name)}`)
    return value
  }
  const functions: Functions = {
    ...plainFunctions,
    utcNow: () => (now ?? new Date()).toISOString(),
    triggerBody: () => trigger ?? null,
    parameters: name => parameters[String(name)] ?? null,
    variables: name => known(variables, name),
    items: name => known(loops, name),
    item: () => item ?? null,
    outputs: name => known(outputs, name),
    body: name => (known(outputs, name) as { body?: unknown }).body ?? null,
  }
  const valued = (value: unknown) => evaluate(value, functions)
  const forEach = (list: unknown, of: unknown): unknown[] =>
    (list as unknown[]).map(each => {
      item = each
      return valued(of)
    })

  async function runOne(name: string, action: Action): Promise<Status> {
    const inputs = action.inputs ?? {}
    switch (action.type) {
      case 'OpenApiConnection': {
        const host = inputs.host as { connectionName: string; operationId: string }
        const call = connectors[host.connectionName]
        if (call === undefined) throw new Error(`There is no connection ${host.connectionName}`)
        const given = valued(inputs.parameters) as Record<string, unknown>
        const answer = await call(host.operationId, given, action.runtimeConfiguration?.paginationPolicy !== undefined)
        outputs.set(name, answer)
        return answer.statusCode < 400 ? 'Succeeded' : 'Failed'
      }
      case 'Compose':
        outputs.set(name, valued(inputs))
        return 'Succeeded'
      case 'Select':
        outputs.set(name, { body: forEach(valued(inputs.from), inputs.select) })
        return 'Succeeded'
      case 'Query': {
        const list = valued(inputs.from) as unknown[]
        const passes = forEach(list, inputs.where)
        outputs.set(name, { body: list.filter((_, index) => passes[index] === true) })
        return 'Succeeded'
      }
      case 'Table': {
        const columns = inputs.columns as { header: string; value: string }[]
        const rows = forEach(
          valued(inputs.from),
          columns.map(({ value }) => value),
        ) as unknown[][]
        outputs.set(name, { body: rows.map(row => `<tr><td>${row.join('</td><td>')}</td></tr>`).join('') })
        return 'Succeeded'
      }
      case 'InitializeVariable':
        for (const { name: variable, value } of inputs.variables as { name: string; value: unknown }[])
          variables.set(variable, structuredClone(value))
        return 'Succeeded'
      case 'AppendToArrayVariable':
        ;(known(variables, inputs.name) as unknown[]).push(valued(inputs.value))
        return 'Succeeded'
      case 'If':
        return runGroup((isTrue(action.expression) ? action.actions : action.else?.actions) ?? {})
      case 'Switch': {
        const value = valued(action.expression)
        const found = Object.values(action.cases ?? {}).find(each => each.case === value)
        return runGroup(found?.actions ?? action.default?.actions ?? {})
      }
      case 'Foreach': {
        const statuses: Status[] = []
        for (const each of valued(action.foreach) as unknown[]) {
          loops.set(name, each)
          statuses.push(await runGroup(action.actions ?? {}))
        }
        return statuses.includes('Failed') ? 'Failed' : 'Succeeded'
      }
      case 'Terminate':
        throw new Terminated(String((valued(inputs.runError) as { message: string }).message))
      default:
        throw new Error(`Nothing runs actions of the type ${action.type}`)
    }
  }

  /** A condition in the form of designers: `{and: [{equals: [a, b]}]}`. */
  function isTrue(condition: unknown): boolean {
    const [[operator, operands] = ['', []]] = Object.entries(condition as Record<string, unknown[]>)
    if (operator === 'and') return operands.every(isTrue)
    return functions[operator]?.(...operands.map(valued)) === true
  }

  async function runGroup(group: Record<string, Action>): Promise<Status> {
    const statuses = new Map<string, Status>()
    const left = new Map(Object.entries(group))
    while (left.size > 0) {
      const [name, action] =
        [...left].find(([, { runAfter = {} }]) => Object.keys(runAfter).every(each => statuses.has(each))) ?? []
      if (name === undefined || action === undefined)
        throw new Error(`Nothing can run of ${[...left.keys()].join(', ')}`)
      left.delete(name)
      const runs = Object.entries(action.runAfter ?? {}).every(([each, wanted]) =>
        wanted.includes(statuses.get(each) ?? ''),
      )
      statuses.set(name, runs ? await runOne(name, action) : 'Skipped')
    }
    // The last actions decide. If one was skipped, the action that it waited for decides.
    const failed = (name: string): boolean => {
      const status = statuses.get(name)
      return status === 'Skipped' ? Object.keys(group[name]?.runAfter ?? {}).some(failed) : status === 'Failed'
    }
    const awaited = new Set(Object.values(group).flatMap(({ runAfter = {} }) => Object.keys(runAfter)))
    return Object.keys(group)
      .filter(name => !awaited.has(name))
      .some(failed)
      ? 'Failed'
      : 'Succeeded'
  }

  try {
    return { status: (await runGroup(actions)) === 'Failed' ? 'Failed' : 'Succeeded' }
  } catch (thrown) {
    if (thrown instanceof Terminated) return { status: 'Failed', message: thrown.message }
    throw thrown
  }
}
