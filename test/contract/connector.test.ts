import { readFileSync } from 'node:fs'
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
import { definition, type Json, schemasIn, triggers } from '../support/definition.ts'

test('the committed definition matches the schemas (`npm run connector` writes it)', () => {
  expect(readFileSync(definitionFile, 'utf8')).toBe(definitionText())
})

test('the definition is valid OpenAPI 2.0', async () => {
  await expect(SwaggerParser.validate(structuredClone(definition) as never)).resolves.toBeDefined()
})

test('the definition passes a linter', async () => {
  const config = await createConfig({
    extends: ['recommended'],
    // The definition has no licence of its own, and the connection names the server.
    rules: { 'info-license': 'off', 'no-server-example.com': 'off' },
  })
  const problems = await lint({ ref: definitionFile, config })
  expect(problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} at ${location[0]?.pointer}`)).toEqual(
    [],
  )
})

describe('the document that the app serves', () => {
  const served = createDocument() as typeof definition

  test('the document that the app serves differs from the connector only in the triggers: it has one for all kinds of change', () => {
    const { '/trigger/api/order-changes': changes, ...paths } = definition.paths
    const actions = Object.entries(paths).filter(([path]) => !path.startsWith('/trigger/'))
    expect(served).toEqual({
      ...definition,
      paths: { ...Object.fromEntries(actions), '/api/order-changes': changes },
    })
  })

  test('the document that the app serves has the address of each route that needs a key, once, and no other', async () => {
    const { functions } = await loadApp(`${root}dist/main.js`, () => undefined)
    const routes = [...functions.values()].flatMap(({ bindings }) =>
      Object.values(bindings).flatMap(({ authLevel, route }) => (authLevel === 'function' ? [`/api/${route}`] : [])),
    )
    expect(Object.keys(served.paths).toSorted()).toEqual([...new Set(routes)].toSorted())
  })
})

describe('the triggers', () => {
  test('there is a trigger for each kind of change and one for all kinds, below /trigger', () => {
    expect(triggers.map(({ path, operation }) => [operation.summary, path])).toEqual([
      ['When an order is created', '/trigger/api/order-changes/created'],
      ['When an order is changed', '/trigger/api/order-changes/updated'],
      ['When an order is removed', '/trigger/api/order-changes/removed'],
      ['When an order is created, changed or removed', '/trigger/api/order-changes'],
    ])
  })

  test.each(triggers.map(({ operation, method }) => [operation.operationId, operation, method] as const))(
    'the trigger %s is a batch poll with a hint, and makers do not see its cursor',
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

  test('the triggers for one kind send that kind, and the trigger for all kinds lets the maker choose', () => {
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

  test('the triggers for one kind offer no member that this kind never has', () => {
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

describe('the definition and the functions', () => {
  const described = declared.flatMap(({ operationId, parameters: { path, query, body } }) =>
    Object.entries({ ...path, ...query, ...body }).map(([name, schema]) => ({
      operationId,
      name,
      schema,
      meta: metaOf(schema),
    })),
  )

  test('a parameter for a date or a timestamp has no format, because a designer would reject one of the two', () => {
    const bounds = described.filter(({ name }) => ['createdFrom', 'createdTo', 'asOf'].includes(name))
    expect(bounds).toHaveLength(9)
    for (const { schema, meta } of bounds) {
      const parse = (text: string) => (schema as z.ZodType).safeParse(text).success
      expect([parse('2026-11-01'), parse('2026-11-01T00:00:00Z'), parse('yesterday')]).toEqual([true, true, false])
      expect(meta?.openapi.format).toBeUndefined()
    }
  })

  test.each(described)('the definition matches what the functions parse: $operationId: $name', ({ schema, meta }) => {
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
