import { readFileSync } from 'node:fs'
import { root } from '../../local/build/bundle.ts'
import type { Workflow } from './workflow.ts'
import type { Connectors } from './workflow-run.ts'

/** The definition of a recipe for Power Automate. */
export const readRecipe = (name: string) =>
  (
    JSON.parse(readFileSync(`${root}infra/logic-apps/power-automate/${name}.json`, 'utf8')) as {
      properties: { definition: Workflow }
    }
  ).properties.definition

export type Call = { operationId: string } & Record<string, unknown>

/** A service that accepts every call, and a list of the calls. */
export function recorder(): { calls: Call[]; connector: Connectors[string] } {
  const calls: Call[] = []
  return {
    calls,
    connector: async (operationId, parameters) => {
      calls.push({ operationId, ...parameters })
      return { statusCode: 200, body: {} }
    },
  }
}
