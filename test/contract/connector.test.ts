import { readFileSync, statSync } from 'node:fs'
import SwaggerParser from '@apidevtools/swagger-parser'
import { createConfig, lint } from '@redocly/openapi-core'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { root } from '../../local/build/bundle.ts'
import { definitionFile, definitionText } from '../../local/build/connector-definition.ts'
import { loadApp } from '../../local/host/core.ts'
import { metaOf, type ParameterMeta } from '../../shared/http/parameters/parameter-kinds.ts'
import { createDocument } from '../../shared/openapi/document.ts'
import { operations as declared } from '../../shared/openapi/operations.ts'
import { definition, type Json, operations, schemasIn, triggers } from '../support/definition.ts'

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
        if (parameter['x-ms-visibility'] === 'internal')
          expect(parameter.default !== undefined, parameter.name).toBe(parameter.required)
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
    (_, { responses, produces }) => {
      const withSchema = Object.entries(responses).filter(([, { schema }]) => schema !== undefined)
      expect(withSchema.map(([status]) => status)).toEqual(['200'])
      expect(responses).not.toHaveProperty('default')
      for (const { description } of Object.values(responses)) expect(description).toMatch(/\.$/)
      const [, success] = withSchema[0] ?? []
      // The report is a text; everything else can get another member.
      expect(success?.schema?.type).toBe(produces === undefined ? 'object' : 'string')
      expect(['text/plain', undefined]).toContain(produces?.[0])
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

  test('lists are pageable by nextLink, at the root', () => {
    const pageable = operations.filter(({ operation }) => operation['x-ms-pageable'] !== undefined)
    for (const { operation } of pageable) {
      expect(operation['x-ms-pageable']).toEqual({ nextLinkName: 'nextLink' })
      const schema = operation.responses['200']?.schema?.properties as Json
      expect(Object.keys(schema)).toEqual(['value', 'nextLink'])
    }
  })

  test('an operation that may be used is shown', () => {
    const shown = operations.filter(({ operation }) => operation['x-ms-visibility'] === 'important')
    const rest = operations.filter(each => !shown.includes(each)).map(({ operation }) => operation.operationId)
    expect(rest).toEqual(['TestConnection'])
  })

  test.each(operations.map(({ operation }) => [operation.operationId, operation] as const))(
    'operation %s: no two members of an answer have the same title',
    (_, { responses, produces }) => {
      if (produces !== undefined) return
      const titles = [...schemasIn(responses['200']?.schema ?? {})].flatMap(
        ({ schema }) => schema['x-ms-summary'] ?? [],
      )
      expect(titles.length).toBeGreaterThan(1)
      expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([])
    },
  )

  test('ids and names have the titles that makers look for', () => {
    const titleOf = (name: string) =>
      new Set(
        operations.flatMap(({ operation: { responses } }) =>
          [...schemasIn(responses['200']?.schema ?? {})]
            .filter(({ at }) => at.endsWith(`/${name}`))
            .map(({ schema }) => schema['x-ms-summary']),
        ),
      )
    expect(titleOf('customerTenantId')).toEqual(new Set(['Customer ID']))
    expect(titleOf('customerName')).toEqual(new Set(['Customer Name']))
    expect(titleOf('companyName')).toEqual(new Set(['Customer Name']))
    expect(titleOf('orderId')).toEqual(new Set(['Order ID']))
    expect(titleOf('snapshotId')).toEqual(new Set(['Snapshot ID']))
    expect(titleOf('previousOrder/status')).toEqual(new Set(['Previous Status']))
  })

  test('a connection is tested by an internal operation', () => {
    const { testConnection } = definition['x-ms-capabilities'] as { testConnection: { operationId: string } }
    const tested = operations.find(({ operation }) => operation.operationId === testConnection.operationId)
    expect(tested).toMatchObject({ method: 'get', operation: { 'x-ms-visibility': 'internal' } })
  })
})

describe('the document that the app serves', () => {
  const served = createDocument() as typeof definition

  test('differs from the definition of the connector in the triggers alone: it has the one for all kinds of change', () => {
    const { '/trigger/api/order-changes': changes, ...paths } = definition.paths
    const actions = Object.entries(paths).filter(([path]) => !path.startsWith('/trigger/'))
    expect(served).toEqual({
      ...definition,
      paths: { ...Object.fromEntries(actions), '/api/order-changes': changes },
    })
  })

  test('has the address of each route that needs a key, once, and no other', async () => {
    const { functions } = await loadApp(`${root}dist/main.js`, () => undefined)
    const routes = [...functions.values()].flatMap(({ bindings }) =>
      Object.values(bindings).flatMap(({ authLevel, route }) => (authLevel === 'function' ? [`/api/${route}`] : [])),
    )
    expect(Object.keys(served.paths).toSorted()).toEqual([...new Set(routes)].toSorted())
  })
})

describe('the triggers', () => {
  test('are one for each kind of change and one for all, at paths of their own below /trigger', () => {
    expect(triggers.map(({ path, operation }) => [operation.summary, path])).toEqual([
      ['When an order is created', '/trigger/api/order-changes/created'],
      ['When an order is changed', '/trigger/api/order-changes/updated'],
      ['When an order is removed', '/trigger/api/order-changes/removed'],
      ['When an order is created, changed or removed', '/trigger/api/order-changes'],
    ])
  })

  test.each(triggers.map(({ operation, method }) => [operation.operationId, operation, method] as const))(
    '%s is a batch poll with a hint, whose cursor makers do not see',
    (_, operation, method) => {
      expect(method).toBe('get')
      expect(operation).toMatchObject({
        'x-ms-trigger': 'batch',
        'x-ms-trigger-metadata': { kind: 'query', mode: 'polling' },
        'x-ms-trigger-hint': expect.stringContaining('snapshot'),
      })
      expect(operation.parameters.find(({ name }) => name === 'cursor')).toMatchObject({
        'x-ms-visibility': 'internal',
        required: false,
      })
      const root = operation.responses['200']?.schema?.properties as Record<string, Json>
      expect([root.value?.type, root.cursor?.type]).toEqual(['array', 'string'])
    },
  )

  test('of one kind send this kind without asking, and the one for all lets the maker choose', () => {
    const kinds = triggers.map(({ operation }) => operation.parameters.find(({ name }) => name === 'kind'))
    const constant = (kind: string, displayName: string) =>
      expect.objectContaining({
        in: 'query',
        required: true,
        enum: [kind],
        'x-ms-enum-values': [{ value: kind, displayName }],
        default: kind,
        'x-ms-visibility': 'internal',
      })
    const choice = expect.objectContaining({ in: 'query', required: false, enum: ['created', 'updated', 'removed'] })
    expect(kinds).toEqual([
      constant('created', 'Created'),
      constant('updated', 'Changed'),
      constant('removed', 'Removed'),
      choice,
    ])
    expect(kinds.at(-1)).not.toHaveProperty('default')
    expect(kinds.at(-1)).not.toHaveProperty('x-ms-visibility')
  })

  test('of one kind offer no member that this kind never has', () => {
    const offered = triggers.map(({ operation }) => {
      const members = [...schemasIn(operation.responses['200']?.schema ?? {})].map(({ at }) => at)
      return {
        order: members.includes('/value/[]/order'),
        previousOrder: members.includes('/value/[]/previousOrder'),
        changedMembers: members.includes('/value/[]/changedMembers'),
      }
    })
    expect(offered).toEqual([
      { order: true, previousOrder: false, changedMembers: false },
      { order: true, previousOrder: true, changedMembers: true },
      { order: false, previousOrder: true, changedMembers: false },
      { order: true, previousOrder: true, changedMembers: true },
    ])
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

  test('a date or a timestamp has no format, since a designer would refuse one of the two', () => {
    const bounds = described.filter(({ name }) => ['createdFrom', 'createdTo', 'asOf'].includes(name))
    expect(bounds).toHaveLength(9)
    for (const { schema, meta } of bounds) {
      const parse = (text: string) => (schema as z.ZodType).safeParse(text).success
      expect([parse('2026-11-01'), parse('2026-11-01T00:00:00Z'), parse('yesterday')]).toEqual([true, true, false])
      expect(meta?.openapi.format).toBeUndefined()
    }
  })

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
  })
})
