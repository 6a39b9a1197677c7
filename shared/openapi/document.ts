import * as z from 'zod'
import { metaOf, type ParameterMeta, type PickList } from '../http/parameters/parameter-kinds.ts'
import { type Operation, operations } from './operations.ts'
import { pickFrom } from './pickers.ts'

/**
 * The route prefix of host.json. Every path contains it, because links through a gateway consist of prefix and path.
 */
const routePrefix = '/api'

/** A placeholder. The app returns its own host instead, and a connection of the connector names one. */
const definitionHost = 'your-app.azurewebsites.net'

/**
 * The path prefix of polling triggers in a connector. The gateway removes it before it calls the app. Every certified
 * connector with the policy `pollingtrigger` has such paths, although the services behind them have none
 * (github.com/microsoft/PowerPlatformConnectors, custom-connectors/Facebook).
 */
const triggerPrefix = '/trigger'

type Json = Record<string, unknown>

/** The OpenAPI 2.0 document of the functions, as `get-openapi` returns it. */
export const createDocument = (): Json =>
  describe(
    operations.filter(({ connectorOnly }) => connectorOnly === undefined),
    ({ path }) => routePrefix + path,
  )

/** The same document for the connector, whose gateway needs other paths. */
export const createConnectorDefinition = (): Json =>
  describe(
    operations,
    ({ path, trigger, connectorOnly = { path } }) =>
      (trigger === undefined ? '' : triggerPrefix) + routePrefix + connectorOnly.path,
  )

/** Generates the document from the schemas that the functions use. */
function describe(described: readonly Operation[], pathOf: (operation: Operation) => string): Json {
  const paths: Record<string, Json> = {}
  for (const operation of described) {
    const path = pathOf(operation)
    paths[path] = { ...paths[path], [operation.method]: toOperation(operation) }
  }
  return {
    swagger: '2.0',
    info: {
      title: 'Partner Center Orders',
      description:
        'Gets the orders of the customers of a Cloud Solution Provider partner: live, as flat rows, filtered, or as of an earlier day. Starts flows when an order is created, changed or removed.',
      version: '1.0.0',
      contact: {
        name: 'The operations team of the partner',
        url: 'https://learn.microsoft.com/partner-center/developer/',
        email: 'csp-operations@example.com',
      },
    },
    host: definitionHost,
    basePath: '/',
    schemes: ['https'],
    consumes: ['application/json'],
    produces: ['application/json'],
    paths,
    securityDefinitions: { api_key: { type: 'apiKey', in: 'header', name: 'x-functions-key' } },
    security: [{ api_key: [] }],
    'x-ms-connector-metadata': [
      { propertyName: 'Website', propertyValue: 'https://learn.microsoft.com/partner-center/' },
      { propertyName: 'Privacy policy', propertyValue: 'https://privacy.microsoft.com/privacystatement' },
      { propertyName: 'Categories', propertyValue: 'Commerce;IT Operations' },
    ],
    'x-ms-capabilities': { testConnection: { operationId: 'TestConnection', parameters: {} } },
  }
}

function toOperation(operation: Operation): Json {
  const { operationId, summary, description, visibility, success, others, pageable, trigger } = operation
  return {
    operationId,
    summary,
    description,
    'x-ms-visibility': visibility,
    'x-ms-api-annotation': { status: 'Production', family: operationId, revision: 1 },
    ...(pageable ? { 'x-ms-pageable': { nextLinkName: 'nextLink' } } : {}),
    ...(trigger === undefined
      ? {}
      : {
          'x-ms-trigger': 'batch',
          'x-ms-trigger-metadata': { kind: 'query', mode: 'polling' },
          'x-ms-trigger-hint': trigger.hint,
        }),
    // Connectors know no other type of text. It does not change what the app sends.
    ...(operation.isPage === true ? { produces: ['text/plain'] } : {}),
    parameters: toParameters(operation),
    responses: {
      200: { description: success.description, schema: toSchema(success.schema) },
      ...Object.fromEntries(Object.entries(others).map(([status, description]) => [status, { description }])),
    },
  }
}

function toParameters(operation: Operation): Json[] {
  const { path: template, parameters, method, hidden = [], connectorOnly: { constants = {} } = {} } = operation
  const { path, query, body } = parameters
  const inPath = Object.entries(path)
    .filter(([name]) => template.includes(`{${name}}`))
    .map(([name, schema]) => ({
      ...toParameter(name, schema),
      in: 'path',
      required: true,
      'x-ms-url-encoding': 'single',
    }))
  const inQuery = Object.entries(query)
    .filter(([name]) => !hidden.includes(name))
    .map(([name, schema]) => {
      const fixed = constants[name] === undefined ? {} : toConstant(constants[name], schema)
      return { ...toParameter(name, schema), in: 'query', required: false, ...fixed }
    })
  return [...inPath, ...inQuery, ...(method === 'post' && body !== undefined ? [toBody(body)] : [])]
}

function toParameter(name: string, schema: unknown): Json {
  const meta = metaOf(schema)
  if (meta === undefined) throw new Error(`Parameter ${name} is not described`)
  const { title, description, openapi, visibility = 'none', picks } = meta
  return {
    name,
    ...openapi,
    ...toLabels(meta),
    'x-ms-summary': title,
    description,
    ...(visibility === 'none' ? {} : { 'x-ms-visibility': visibility }),
    ...(picks === undefined || openapi.type === 'array' ? {} : pickFrom(picks)),
  }
}

/** Flows send a required internal parameter with its default, and makers do not see it. */
function toConstant(value: string, schema: unknown): Json {
  const { openapi, labels = [] } = metaOf(schema) ?? {}
  const label = labels[openapi?.enum?.indexOf(value) ?? -1] ?? value
  return {
    required: true,
    enum: [value],
    'x-ms-enum-values': [{ value, displayName: label }],
    default: value,
    'x-ms-visibility': 'internal',
  }
}

const toLabels = ({ openapi: { enum: values = [] }, labels = [] }: ParameterMeta): Json =>
  labels.length === 0
    ? {}
    : { 'x-ms-enum-values': values.map((value, index) => ({ value, displayName: labels[index] ?? value })) }

function toBody(body: z.ZodRawShape): Json {
  const properties = Object.fromEntries(
    Object.entries(body).map(([name, schema]) => {
      const { name: _, ...property } = toParameter(name, schema)
      return [name, withItems(property, metaOf(schema)?.picks)]
    }),
  )
  return {
    name: 'body',
    in: 'body',
    required: false,
    'x-ms-summary': 'Options',
    description: 'What to include.',
    schema: { type: 'object', properties },
  }
}

/** Items of arrays have their title and dropdown like every other member. */
function withItems({ items, ...property }: Json, picks: PickList | undefined): Json {
  if (items === undefined) return property
  const { title, ...rest } = items as Json
  const dropdown = picks === undefined ? {} : pickFrom(picks)
  return { ...property, items: { ...rest, 'x-ms-summary': title, ...dropdown } }
}

/** Keywords that OpenAPI 2.0 does not have, or that flows would enforce too strictly. */
const left = new Set(['$schema', 'additionalProperties', 'title', 'minimum', 'maximum', 'enum', 'id'])

/**
 * A response schema for OpenAPI 2.0: titles as `x-ms-summary`, without bounds, and without enums, because a new value
 * would break them.
 */
function toSchema(schema: z.ZodType): unknown {
  return rewrite(z.toJSONSchema(schema, { target: 'draft-4', io: 'input', reused: 'inline' }))
}

function rewrite(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rewrite)
  if (typeof value !== 'object' || value === null) return value
  const schema = value as Json
  const rewritten: Json = {}
  if (typeof schema.title === 'string') rewritten['x-ms-summary'] = schema.title
  for (const [key, member] of Object.entries(schema)) {
    if (key === 'properties') {
      rewritten[key] = Object.fromEntries(Object.entries(member as Json).map(([name, child]) => [name, rewrite(child)]))
    } else if (!left.has(key)) {
      rewritten[key] = rewrite(member)
    }
  }
  return rewritten
}
