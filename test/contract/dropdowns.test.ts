import { describe, expect, test } from 'vitest'
import { definition, type Json, operations, type SwaggerOperation, schemasIn } from '../support/definition.ts'

type DynamicValues = {
  operationId: string
  parameters: Record<string, unknown>
  'value-collection': string
  'value-path': string
  'value-title': string
}
type DynamicList = {
  operationId: string
  parameters: Record<string, { value?: unknown; parameterReference?: string }>
  itemsPath: string
  itemValuePath: string
  itemTitlePath: string
}
type Picker = { operation: SwaggerOperation; name: string; values: DynamicValues; list: DynamicList }

const operationOf = (id: string) => operations.find(({ operation }) => operation.operationId === id)?.operation

/** Every dropdown of parameters and of members of a body. */
const pickers: Picker[] = operations.flatMap(({ operation }) =>
  operation.parameters
    .flatMap(parameter => [
      { name: parameter.name, schema: parameter as Json },
      ...[...schemasIn(parameter.schema ?? {})].map(({ at, schema }) => ({ name: at, schema })),
    ])
    .filter(({ schema }) => schema['x-ms-dynamic-values'] !== undefined || schema['x-ms-dynamic-list'] !== undefined)
    .map(({ name, schema }) => ({
      operation,
      name,
      values: schema['x-ms-dynamic-values'] as DynamicValues,
      list: schema['x-ms-dynamic-list'] as DynamicList,
    })),
)

test('every parameter for a customer, an order or a snapshot has a dropdown', () => {
  const picked = (name: string, from: string) =>
    pickers
      .filter(each => each.name === name && each.values.operationId === from)
      .map(each => each.operation.operationId)
  const asking = (name: string) =>
    operations
      .filter(({ operation }) => operation.parameters.some(parameter => parameter.name === name))
      .map(({ operation }) => operation.operationId)

  expect(picked('customerTenantId', 'ListCustomers')).toEqual(asking('customerTenantId'))
  expect(picked('/customerTenantIds/[]', 'ListCustomers')).toEqual(['StartSnapshot'])
  expect(picked('orderId', 'GetCustomerOrders')).toEqual(asking('orderId'))
  expect(picked('snapshotId', 'ListSnapshots')).toEqual(asking('snapshotId'))
  expect(asking('orderId').length * asking('snapshotId').length).toBeGreaterThan(0)
})

describe.each(pickers)('the dropdown of $name in $operation.operationId', ({ operation, values, list }) => {
  const source = operationOf(values.operationId)

  test('the dropdown is the same in the old and in the new form', () => {
    expect(list).toMatchObject({
      operationId: values.operationId,
      itemsPath: values['value-collection'],
      itemValuePath: values['value-path'],
      itemTitlePath: values['value-title'],
    })
    const asOld = Object.entries(list.parameters).map(([name, { value, parameterReference }]) => [
      name,
      parameterReference === undefined ? value : { parameter: parameterReference },
    ])
    expect(Object.fromEntries(asOld)).toEqual(values.parameters)
  })

  test('the dropdown reads members that its source returns', () => {
    const members = [...schemasIn(source?.responses['200']?.schema ?? {})]
    const typeOf = (member: string) =>
      members.find(({ at }) => at === `/${values['value-collection']}/[]/${member}`)?.schema.type
    expect([typeOf(values['value-path']), typeOf(values['value-title'])]).toEqual(['string', 'string'])
  })

  test('the dropdown passes constants and earlier picks to its source', () => {
    const taken = new Map(source?.parameters.map(parameter => [parameter.name, parameter]))
    for (const [name, value] of Object.entries(values.parameters)) {
      const parameter = taken.get(name)
      expect(parameter, name).toBeDefined()
      if (typeof value === 'object' && value !== null) {
        const from = (value as { parameter: string }).parameter
        expect(operation.parameters.find(each => each.name === from)).toMatchObject({ required: true })
      } else {
        expect(Number(value)).toBeLessThanOrEqual(Number(parameter?.maximum))
      }
    }
    const required = (source?.parameters ?? []).filter(parameter => parameter.required).map(({ name }) => name)
    expect(Object.keys(values.parameters)).toEqual(expect.arrayContaining(required))
  })
})

test('no dropdown reads an operation that makers cannot call', () => {
  const sources = new Set(pickers.map(({ values }) => values.operationId))
  expect(sources.size).toBe(3)
  for (const id of sources) expect(operationOf(id)?.['x-ms-visibility']).not.toBe('internal')
  expect(JSON.stringify(definition)).not.toContain('x-ms-dynamic-schema')
})
