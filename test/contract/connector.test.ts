import { readFileSync, statSync } from 'node:fs'
import SwaggerParser from '@apidevtools/swagger-parser'
import { createConfig, lint } from '@redocly/openapi-core'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { root } from '../../local/build/bundle.ts'
import { definitionFile, definitionText } from '../../local/build/connector-definition.ts'
import { metaOf, type ParameterMeta } from '../../shared/http/parameter-kinds.ts'
import { operations as declared } from '../../shared/openapi/operations.ts'
import { definition, type Json, operations, schemasIn } from '../support/definition.ts'

const folder = `${root}infra/connector/`
const properties = (JSON.parse(readFileSync(`${folder}apiProperties.json`, 'utf8')) as { properties: Json }).properties
type Policy = { templateId: string; parameters: Json }
const policies = properties.policyTemplateInstances as Policy[]
const policy = (id: string) => policies.find(({ templateId }) => templateId === id)?.parameters ?? {}
const productNames = /power (automate|apps|bi|platform)|logic apps|copilot studio|microsoft flow/i

test('the committed definition is the one the schemas make; `npm run connector` writes it', () => {
  expect(readFileSync(definitionFile, 'utf8')).toBe(definitionText())
})

test('the definition is valid OpenAPI 2.0', async () => {
  await expect(SwaggerParser.validate(structuredClone(definition) as never)).resolves.toBeDefined()
})

test('the definition passes a linter', async () => {
  const config = await createConfig({
    extends: ['recommended'],
    // It has no licence of its own, and its server is the connection's.
    rules: { 'info-license': 'off', 'no-server-example.com': 'off' },
  })
  const problems = await lint({ ref: definitionFile, config })
  expect(problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} at ${location[0]?.pointer}`)).toEqual(
    [],
  )
})

describe('the certification checklist', () => {
  test('frame: version, scheme, host, base path, size', () => {
    expect(definition).toMatchObject({ swagger: '2.0', schemes: ['https'] })
    expect(definition.host).not.toContain('://')
    expect(definition.basePath).toMatch(/^\//)
    expect(statSync(definitionFile).size).toBeLessThan(1_000_000)
    expect(operations.length).toBeLessThanOrEqual(256)
    expect(readFileSync(definitionFile, 'utf8')).not.toMatch(/\\u[0-9a-f]{4}/i)
  })

  test('info: title, description and contact', () => {
    const { title, description, contact } = definition.info
    expect(title.length).toBeLessThanOrEqual(30)
    expect(title).not.toMatch(/\b(api|connector)\b/i)
    expect(title).toMatch(/[a-z0-9]$/i)
    expect(description.length).toBeGreaterThanOrEqual(30)
    expect(description.length).toBeLessThanOrEqual(500)
    expect(title + description).not.toMatch(productNames)
    expect(contact).toEqual({
      name: expect.any(String),
      url: expect.stringMatching(/^https:/),
      email: expect.stringContaining('@'),
    })
  })

  test('metadata: web site, privacy policy and at most two categories', () => {
    const metadata = definition['x-ms-connector-metadata'] as { propertyName: string; propertyValue: string }[]
    expect(metadata.map(({ propertyName }) => propertyName)).toEqual(['Website', 'Privacy policy', 'Categories'])
    expect(metadata[2]?.propertyValue.split(';').length).toBeLessThanOrEqual(2)
  })

  test.each(operations.map(each => [each.operation.operationId, each] as const))(
    'operation %s: names and texts',
    (id, { operation, method, path }) => {
      const isTrigger = operation['x-ms-trigger'] !== undefined
      expect(id).toMatch(/^[A-Z][A-Za-z0-9]*(_V\d+)?$/)
      expect(operation.summary.length).toBeLessThanOrEqual(80)
      expect(operation.summary).not.toMatch(/[/\\<>*%&?]|[.!?]$/)
      expect(operation.summary).toMatch(/^[A-Z][^A-Z]*$/)
      if (isTrigger) expect(operation.summary).toMatch(/^When an? /)
      expect(operation.description).toMatch(/\.$/)
      expect(operation.description).not.toBe(operation.summary)
      expect(operation.summary + operation.description).not.toMatch(productNames)
      expect(operation['x-ms-visibility']).toMatch(/^(important|advanced|internal)$/)
      expect(operation['x-ms-api-annotation']).toEqual({ status: 'Production', family: id, revision: 1 })
      if (method === 'get') expect(operation.parameters.some(({ in: place }) => place === 'body')).toBe(false)
      for (const [, name] of path.matchAll(/\{(\w+)\}/g)) {
        expect(operation.parameters).toContainEqual(
          expect.objectContaining({ name, in: 'path', required: true, 'x-ms-url-encoding': 'single' }),
        )
      }
    },
  )

  test.each(operations.map(({ operation }) => [operation.operationId, operation] as const))(
    'operation %s: parameters',
    (_, { parameters }) => {
      for (const parameter of parameters) {
        expect(parameter['x-ms-summary']).toMatch(/^[A-Z0-9]/)
        expect(String(parameter['x-ms-summary']).length).toBeLessThanOrEqual(80)
        expect(parameter.description).toMatch(/\.$/)
        expect(parameter.name).not.toBe('connectionId')
        if (parameter.in === 'query') expect(parameter).not.toHaveProperty('x-ms-url-encoding')
        if (parameter['x-ms-visibility'] === 'internal' && parameter.required)
          expect(parameter).toHaveProperty('default')
        if (parameter.in !== 'body') expect(parameter.type).toMatch(/^(string|integer|boolean)$/)
        if (parameter.default !== undefined) {
          const kinds: Record<string, string> = { integer: 'number', boolean: 'boolean', string: 'string' }
          expect(typeof parameter.default).toBe(kinds[parameter.type ?? ''])
        }
        const values = parameter.enum as string[] | undefined
        if (values !== undefined) {
          const labels = parameter['x-ms-enum-values'] as { value: string; displayName: string }[]
          expect(labels.map(({ value }) => value)).toEqual(values)
          expect(labels.every(({ displayName }) => /^[A-Z]/.test(displayName))).toBe(true)
        }
      }
    },
  )

  test.each(operations.map(({ operation }) => [operation.operationId, operation] as const))(
    'operation %s: answers',
    (_, { responses }) => {
      const withSchema = Object.entries(responses).filter(([, { schema }]) => schema !== undefined)
      expect(withSchema.map(([status]) => status)).toEqual(['200'])
      expect(responses).not.toHaveProperty('default')
      for (const { description } of Object.values(responses)) expect(description).toMatch(/\.$/)
      const [, success] = withSchema[0] ?? []
      expect(success?.schema?.type).toBe('object')
      for (const { at, schema } of schemasIn(success?.schema ?? {})) {
        expect(Object.keys(schema), at).not.toEqual(expect.arrayContaining(['oneOf']))
        expect(
          Object.keys(schema).filter(key =>
            ['oneOf', 'anyOf', 'allOf', 'not', '$ref', 'x-nullable', 'enum'].includes(key),
          ),
          at,
        ).toEqual([])
        expect(schema.type, at).toMatch(/^(object|array|string|number|integer|boolean)$/)
        if (schema.type === 'array') expect(schema.items, at).toBeDefined()
        if (schema.type === 'number') expect(schema.format, at).toBe('double')
        if (schema.format !== undefined) expect(['int32', 'int64', 'double', 'date-time'], at).toContain(schema.format)
        if (schema.required !== undefined) expect((schema.required as string[]).length, at).toBeGreaterThan(0)
        const isRootOrElement = at === '' || at.endsWith('[]')
        if (!isRootOrElement) {
          expect(schema['x-ms-summary'], at).toMatch(/^[A-Z0-9]/)
          expect(String(schema.description), at).toMatch(/\.$/)
        }
      }
    },
  )

  test('ids and paths are unique, whatever their case', () => {
    const ids = operations.map(({ operation }) => operation.operationId)
    const paths = Object.keys(definition.paths).map(path => path.toLowerCase())
    expect(new Set(ids).size).toBe(ids.length)
    expect(new Set(paths).size).toBe(paths.length)
  })

  test('only MIME types that flows take', () => {
    expect([definition.consumes, definition.produces]).toEqual([['application/json'], ['application/json']])
  })

  test('security: defined at the root and used, scopes empty where they are none', () => {
    const definitions = Object.keys(definition.securityDefinitions as Json)
    const security = definition.security as Record<string, string[]>[]
    expect(security.flatMap(Object.keys).sort()).toEqual(definitions.sort())
    expect(security.flatMap(Object.values).flat()).toEqual([])
    expect(definition.securityDefinitions).toEqual({
      api_key: { type: 'apiKey', in: 'header', name: 'x-functions-key' },
    })
  })

  test('lists are pageable by nextLink, at the root, and through the gateway', () => {
    const pageable = operations.filter(({ operation }) => operation['x-ms-pageable'] !== undefined)
    for (const { operation } of pageable) {
      expect(operation['x-ms-pageable']).toEqual({ nextLinkName: 'nextLink' })
      const schema = operation.responses['200']?.schema?.properties as Json
      expect(Object.keys(schema)).toEqual(['value', 'nextLink'])
    }
    const ids = pageable.map(({ operation }) => operation.operationId)
    expect(ids.sort()).toEqual(['ListCustomers', 'ListOrderLines', 'ListSnapshots'])
    expect([...(policy('updatenextlink')['x-ms-apimTemplate-operationName'] as string[])].sort()).toEqual(ids)
    expect(policy('updatenextlink')['x-ms-apimTemplateParameter.nextLinkPropertyName']).toBe('nextLink')
  })

  test('customers are picked from a list, in the old and the new form, that names what ListCustomers answers', () => {
    const pickers = operations.flatMap(({ operation }) =>
      operation.parameters.filter(({ name }) => name === 'customerTenantId'),
    )
    expect(pickers.length).toBeGreaterThanOrEqual(4)
    for (const picker of pickers) {
      expect(picker['x-ms-dynamic-values']).toEqual({
        operationId: 'ListCustomers',
        parameters: { top: 1000 },
        'value-collection': 'value',
        'value-path': 'customerTenantId',
        'value-title': 'companyName',
      })
      expect(picker['x-ms-dynamic-list']).toMatchObject({
        operationId: 'ListCustomers',
        itemsPath: 'value',
        itemValuePath: 'customerTenantId',
        itemTitlePath: 'companyName',
      })
    }
  })

  test('the trigger is a batch poll with a hint, whose cursor the platform keeps', () => {
    const trigger = operations.find(({ operation }) => operation.operationId === 'OnOrderChanged')?.operation
    expect(trigger).toMatchObject({
      'x-ms-trigger': 'batch',
      'x-ms-trigger-metadata': { kind: 'query', mode: 'polling' },
      'x-ms-trigger-hint': expect.stringContaining('snapshot'),
    })
    expect(trigger?.parameters.find(({ name }) => name === 'cursor')).toMatchObject({
      'x-ms-visibility': 'internal',
      required: false,
    })
    expect(policy('pollingtrigger')).toEqual({
      'x-ms-apimTemplateParameter.triggerConfig': { cursor: '@{triggerBody().cursor}' },
      'x-ms-apimTemplateParameter.triggerDataPath': '@triggerBody().value',
      'x-ms-apimTemplate-operationName': ['OnOrderChanged'],
    })
  })

  test('a connection is tested by an internal operation', () => {
    const { testConnection } = definition['x-ms-capabilities'] as { testConnection: { operationId: string } }
    const tested = operations.find(({ operation }) => operation.operationId === testConnection.operationId)
    expect(tested).toMatchObject({ method: 'get', operation: { 'x-ms-visibility': 'internal' } })
  })

  test('properties: colour, both kinds of authentication, host of the connection', () => {
    expect(properties.iconBrandColor).toMatch(/^#[0-9a-f]{6}$/i)
    expect(['#007ee5', '#ffffff']).not.toContain(String(properties.iconBrandColor).toLowerCase())
    expect(properties).not.toHaveProperty('stackOwner')
    const { values } = properties.connectionParameterSets as {
      values: { name: string; parameters: Record<string, Json>; metadata: Json }[]
    }
    expect(values.map(({ parameters }) => Object.keys(parameters))).toEqual([
      ['host', 'api_key'],
      ['host', 'token', 'token:TenantId'],
    ])
    expect(values[0]?.parameters.api_key?.type).toBe('securestring')
    expect(values[1]?.parameters.token).toMatchObject({
      type: 'oauthSetting',
      oAuthSettings: { identityProvider: 'aad', redirectMode: 'GlobalPerConnector' },
    })
    expect(values.every(({ metadata }) => typeof metadata.allowSharing === 'boolean')).toBe(true)
    expect(policy('dynamichosturl')).toEqual({
      'x-ms-apimTemplateParameter.urlTemplate': "https://@connectionParameters('host')",
    })
  })

  test('every policy names operations that exist', () => {
    const ids = operations.map(({ operation }) => operation.operationId)
    const named = policies.flatMap(
      ({ parameters }) => (parameters['x-ms-apimTemplate-operationName'] as string[] | undefined) ?? [],
    )
    expect(named.filter(id => !ids.includes(id))).toEqual([])
  })

  test('the package is whole: square opaque icon, README with its chapters, settings', () => {
    const icon = readFileSync(`${folder}icon.png`)
    expect([icon.readUInt32BE(16), icon.readUInt32BE(20)]).toEqual([230, 230])
    expect(icon[25]).toBe(2)
    expect(icon.length).toBeLessThan(1_000_000)
    const readme = readFileSync(`${folder}README.md`, 'utf8')
    for (const chapter of [
      'Publisher',
      'Prerequisites',
      'Supported Operations',
      'Obtaining Credentials',
      'Known Issues and Limitations',
      'Deployment Instructions',
    ]) {
      expect(readme).toMatch(new RegExp(`^## ${chapter}`, 'm'))
    }
    const settings = JSON.parse(readFileSync(`${folder}settings.json`, 'utf8')) as Json
    expect(settings).toMatchObject({
      apiProperties: 'apiProperties.json',
      apiDefinition: 'apiDefinition.swagger.json',
      icon: 'icon.png',
    })
  })
})

describe('the definition says what the functions parse', () => {
  const described = declared.flatMap(({ operationId, parameters: { path, query, body } }) =>
    Object.entries({ ...path, ...query, ...body }).map(([name, schema]) => ({
      operationId,
      name,
      schema,
      meta: metaOf(schema),
    })),
  )

  test.each(described)('$operationId: $name', ({ schema, meta }) => {
    const parse = (text: unknown) => (schema as z.ZodType).safeParse(text)
    const openapi: ParameterMeta['openapi'] = meta?.openapi ?? { type: 'string' }
    for (const value of openapi.enum ?? []) expect(parse(value).success).toBe(true)
    if (openapi.enum !== undefined) expect(parse('none-of-these').success).toBe(false)
    if (openapi.default !== undefined) expect(parse(undefined).data).toEqual(openapi.default)
    if (openapi.type === 'boolean')
      expect([parse('true').data, parse('FALSE').data, parse('1').success]).toEqual([true, false, false])
    if (openapi.minimum !== undefined && openapi.maximum !== undefined) {
      const { minimum, maximum } = openapi
      expect([minimum - 1, minimum, maximum, maximum + 1].map(value => parse(String(value)).success)).toEqual([
        false,
        true,
        true,
        false,
      ])
    }
    if (openapi.maxLength !== undefined) expect(parse('a'.repeat(openapi.maxLength + 1)).success).toBe(false)
    if (openapi.format === 'date-time')
      expect([parse('2026-11-01T00:00:00Z').success, parse('yesterday').success]).toEqual([true, false])
  })
})
