import { readFileSync } from 'node:fs'
import { definitionFile } from '../../local/build/connector-definition.ts'

export type Json = Record<string, unknown>
export type SwaggerParameter = Json & {
  name: string
  in: string
  required: boolean
  description: string
  type?: string
  schema?: Json
}
export type SwaggerOperation = Json & {
  operationId: string
  summary: string
  description: string
  parameters: SwaggerParameter[]
  produces?: string[]
  responses: Record<string, { description: string; schema?: Json }>
}
export type Definition = Json & {
  host: string
  basePath: string
  info: { title: string; description: string; contact: Json }
  paths: Record<string, Record<string, SwaggerOperation>>
}

/** The committed definition of the connector. */
export const definition = JSON.parse(readFileSync(definitionFile, 'utf8')) as Definition

export const operations = Object.entries(definition.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)

export const triggers = operations.filter(({ operation }) => operation['x-ms-trigger'] !== undefined)

/** Every schema below a schema, including itself, with the path to it. */
export function* schemasIn(schema: Json, at = ''): Generator<{ at: string; schema: Json }> {
  yield { at, schema }
  for (const [name, member] of Object.entries((schema.properties ?? {}) as Record<string, Json>))
    yield* schemasIn(member, `${at}/${name}`)
  if (schema.items !== undefined) yield* schemasIn(schema.items as Json, `${at}/[]`)
}
