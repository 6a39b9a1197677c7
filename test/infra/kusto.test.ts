import { describe, expect, test } from 'vitest'
import { allOf } from './bicep/stack.ts'
import { createWorkspace } from './kusto/workspace.ts'

type Rule = { criteria: { allOf: { query: string }[] } }

/** The queries in their deployed form. */
const queries = allOf('Microsoft.Insights/scheduledQueryRules').map(
  ({ name, properties }): [name: string, query: string] => [
    name.split('-').slice(2).join('-'),
    (properties as Rule).criteria.allOf[0]?.query ?? '',
  ],
)

const { faultsOf } = createWorkspace()

describe('an alert query', () => {
  test.each(queries)('alert query %s has no finding of the Kusto language service', (_, query) => {
    expect(query).toMatch(/App(Traces|Requests)/)
    expect(faultsOf(query)).toEqual([])
  })

  test.each(queries)('alert query %s has a finding if any of its columns is misspelt', (_, query) => {
    const columns = ['Message', 'TimeGenerated', 'Name', 'Success', 'Url', 'ItemCount', 'ResultCode'].filter(column =>
      new RegExp(`\\b${column}\\b`).test(query),
    )
    expect(columns).not.toEqual([])
    for (const column of columns) {
      const misspelt = query.replace(new RegExp(`\\b${column}\\b`), `${column}e`)
      expect(faultsOf(misspelt).join('\n')).toContain(`The name '${column}e' does not refer to any known column`)
    }
  })

  test.each([
    ['table', 'AppTrace | count', "The name 'AppTrace' does not refer to any known"],
    [
      'function',
      'AppTraces | extend x = parse_jsn(Message)',
      "The name 'parse_jsn' does not refer to any known function",
    ],
    ['type', 'AppTraces | where Message', 'The expression must have the type bool'],
    ['operator', 'AppTraces | wher Message has "x"', 'line 1'],
  ])('an alert query with a wrong %s is refused', (_, query, fault) => {
    expect(faultsOf(query).join('\n')).toContain(fault)
  })
})
