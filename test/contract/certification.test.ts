import { readFileSync, statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { definitionFile } from '../../local/build/connector-definition.ts'
import { definition, type Json, operations, schemasIn } from '../support/definition.ts'

const productNames = /power (automate|apps|bi|platform)|logic apps|copilot studio|microsoft flow/i

describe('the certification checklist', () => {
  test('the definition has a valid version, scheme, host, base path and size', () => {
    expect(definition).toMatchObject({ swagger: '2.0', schemes: ['https'] })
    expect(definition.host).not.toContain('://')
    expect(definition.basePath).toMatch(/^\//)
    expect(statSync(definitionFile).size).toBeLessThan(1_000_000)
    expect(operations.length).toBeLessThanOrEqual(256)
    expect(readFileSync(definitionFile, 'utf8')).not.toMatch(/\\u[0-9a-f]{4}/i)
  })

  test('the definition has a valid title, description and contact', () => {
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

  test('the definition has a web site, a privacy policy and at most two categories', () => {
    const metadata = definition['x-ms-connector-metadata'] as { propertyName: string; propertyValue: string }[]
    expect(metadata.map(({ propertyName }) => propertyName)).toEqual(['Website', 'Privacy policy', 'Categories'])
    expect(metadata[2]?.propertyValue.split(';').length).toBeLessThanOrEqual(2)
  })

  test.each(operations.map(each => [each.operation.operationId, each] as const))(
    'operation %s has valid names and texts',
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
    'operation %s has valid parameters',
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
    'operation %s has valid responses',
    (_, { responses, produces }) => {
      const withSchema = Object.entries(responses).filter(([, { schema }]) => schema !== undefined)
      expect(withSchema.map(([status]) => status)).toEqual(['200'])
      expect(responses).not.toHaveProperty('default')
      for (const { description } of Object.values(responses)) expect(description).toMatch(/\.$/)
      const [, success] = withSchema[0] ?? []
      // The report is a text. Only objects can get another member later.
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

  test('ids and paths are unique in any case', () => {
    const ids = operations.map(({ operation }) => operation.operationId)
    const paths = Object.keys(definition.paths).map(path => path.toLowerCase())
    expect(new Set(ids).size).toBe(ids.length)
    expect(new Set(paths).size).toBe(paths.length)
  })

  test('the definition has only MIME types that flows accept', () => {
    expect([definition.consumes, definition.produces]).toEqual([['application/json'], ['application/json']])
  })

  test('the security definition is at the root and used', () => {
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

  test('every operation for makers is visible', () => {
    const shown = operations.filter(({ operation }) => operation['x-ms-visibility'] === 'important')
    const rest = operations.filter(each => !shown.includes(each)).map(({ operation }) => operation.operationId)
    expect(rest).toEqual(['TestConnection'])
  })

  test.each(operations.map(({ operation }) => [operation.operationId, operation] as const))(
    'operation %s has no two response members with the same title',
    (_, { responses, produces }) => {
      if (produces !== undefined) return
      const titles = [...schemasIn(responses['200']?.schema ?? {})].flatMap(
        ({ schema }) => schema['x-ms-summary'] ?? [],
      )
      expect(titles.length).toBeGreaterThan(1)
      expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([])
    },
  )

  test('ids and names have the titles that makers expect', () => {
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
