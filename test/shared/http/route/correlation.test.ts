import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { correlationIdOf } from '../../../../shared/http/route/correlation.ts'

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`

const names = ['x-ms-client-tracking-id', 'x-ms-correlation-id', 'x-ms-client-request-id'] as const
const idOf = (headers: Record<string, string>) => correlationIdOf(new Headers(headers))

describe('the correlation id', () => {
  test('the correlation id is the caller’s first well-formed one, the most specific first', () => {
    const all = { [names[0]]: 'tracking', [names[1]]: 'correlation', [names[2]]: 'request', traceparent }
    expect(idOf(all)).toBe('tracking')
    expect(idOf({ ...all, [names[0]]: 'not well formed' })).toBe('correlation')
    expect(idOf({ ...all, [names[0]]: '', [names[1]]: '' })).toBe('request')
    expect(idOf({ ...all, [names[0]]: 'ä', [names[1]]: 'a b', [names[2]]: 'a/b' })).toBe(traceId)
    expect(idOf({ traceparent })).toBe(traceId)
    for (const id of [`${'0'.repeat(31)}1`, `1${'0'.repeat(31)}`]) {
      expect(idOf({ traceparent: `00-${id}-00f067aa0ba902b7-01` })).toBe(id)
    }
    expect(idOf({ 'X-MS-Correlation-Id': '6F9619FF-8B86-D011-B42D-00C04FC964FF' })).toBe(
      '6F9619FF-8B86-D011-B42D-00C04FC964FF',
    )
  })

  test('the correlation id is new if the caller has none', () => {
    expect(idOf({})).toMatch(guid)
    expect(idOf({})).not.toBe(idOf({}))
  })

  test('the correlation id of a caller needs 1 to 128 letters, digits, dots, underscores and hyphens', () => {
    const ids = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'aZ09._-'), minLength: 1, maxLength: 140 }),
      fc.string({ unit: fc.constantFrom(...'aZ09._- /:;,"\'{}<>$%\t'), minLength: 1, maxLength: 6 }),
    )
    fc.assert(
      fc.property(ids, fc.constantFrom(...names), (id, name) => {
        const isWellFormed = /^[A-Za-z0-9._-]+$/.test(id.trim()) && id.trim().length <= 128
        const given = idOf({ [name]: id })
        if (isWellFormed) expect(given).toBe(id.trim())
        else expect(given).toMatch(guid)
      }),
      { numRuns: 2000 },
    )
    expect(idOf({ [names[0]]: 'x'.repeat(128) })).toBe('x'.repeat(128))
    expect(idOf({ [names[0]]: 'x'.repeat(129) })).toMatch(guid)
  })

  test.each([
    `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    `00-${traceId.toUpperCase()}-00f067aa0ba902b7-01`,
    `00-${traceId}-00f067aa0ba902b7`,
    `00-${traceId}`,
    `0-${traceId}-00f067aa0ba902b7-01`,
    `00-${traceId}0-00f067aa0ba902b7-01`,
    `x00-${traceId}-00f067aa0ba902b7-01`,
    traceId,
    '',
  ])('the correlation id is not taken from the traceparent "%s"', traceparent => {
    expect(idOf({ traceparent })).toMatch(guid)
  })
})
