import { readFileSync } from 'node:fs'
import { root } from '../../local/build/bundle.ts'
import { operations } from './definition.ts'
import { runAction } from './maker.ts'
import type { Answer, Connectors } from './workflow-run.ts'

type Policy = { templateId: string; parameters: Record<string, unknown> }
const { policyTemplateInstances: policies } = (
  JSON.parse(readFileSync(`${root}infra/connector/apiProperties.json`, 'utf8')) as {
    properties: { policyTemplateInstances: Policy[] }
  }
).properties

function operationOf(operationId: string) {
  const found = operations.find(({ operation }) => operation.operationId === operationId)
  if (found === undefined) throw new Error(`The connector has no operation ${operationId}`)
  return found
}

/** The path to which the gateway sends an operation: that of a policy, or its own path without the trigger prefix. */
export function pathOf(operationId: string): string {
  const routed = policies.find(
    ({ templateId, parameters }) =>
      templateId === 'routerequesttoendpoint' &&
      (parameters['x-ms-apimTemplate-operationName'] as string[]).includes(operationId),
  )
  const newPath = routed?.parameters['x-ms-apimTemplateParameter.newPath']
  return newPath === undefined ? operationOf(operationId).path.replace(/^\/trigger/, '') : String(newPath)
}

/** The address that a trigger polls, with the constant parameters that a flow sends. */
export function triggerAddress(operationId: string): string {
  const constants = operationOf(operationId).operation.parameters.filter(
    parameter => parameter.required && parameter['x-ms-visibility'] === 'internal',
  )
  const query = new URLSearchParams(Object.fromEntries(constants.map(each => [each.name, String(each.default)])))
  return `${pathOf(operationId)}?${query}`
}

/** The connector of the app with its gateway. It has only the operations and parameters of its definition. */
export function connectorOf({ url, key }: { url: string; key: string }): Connectors[string] {
  const ask = async (address: string): Promise<Answer> => {
    const { status, body, text } = await runAction({ url: address, key, secondMs: 20 })
    return { statusCode: status, body: text ?? body }
  }
  return async (operationId, parameters, all) => {
    const found = operationOf(operationId)
    let path = pathOf(operationId)
    const query = new URLSearchParams()
    for (const [name, value] of Object.entries(parameters)) {
      const parameter = found.operation.parameters.find(each => each.name === name)
      if (parameter === undefined) throw new Error(`${operationId} has no parameter ${name}`)
      if (parameter.in === 'path') path = path.replace(`{${name}}`, encodeURIComponent(String(value)))
      else query.set(name, String(value))
    }
    const rows: unknown[] = []
    for (let address: string | undefined = `${url}${path}?${query}`; ; ) {
      const answer: Answer = await ask(address)
      if (!all || answer.statusCode !== 200) return answer
      const { value, nextLink } = answer.body as { value: unknown[]; nextLink?: string }
      rows.push(...value)
      if (nextLink === undefined) return { statusCode: 200, body: { value: rows } }
      address = nextLink
    }
  }
}
