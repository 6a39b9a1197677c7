import { operations } from './definition.ts'
import { runAction } from './maker.ts'
import type { Answer, Connectors } from './workflow-run.ts'

/** The connector of the app as its gateway runs it: operations and parameters of its definition, and no others. */
export function connectorOf({ url, key }: { url: string; key: string }): Connectors[string] {
  const ask = async (address: string): Promise<Answer> => {
    const { status, body } = await runAction({ url: address, key, secondMs: 20 })
    return { statusCode: status, body }
  }
  return async (operationId, parameters, all) => {
    const found = operations.find(({ operation }) => operation.operationId === operationId)
    if (found === undefined) throw new Error(`The connector has no operation ${operationId}`)
    let path = found.path.replace(/^\/trigger/, '')
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
