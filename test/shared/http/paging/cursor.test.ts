import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isAppError } from '../../../../shared/errors.ts'
import { decodeCursor, encodeCursor } from '../../../../shared/http/paging/cursor.ts'

const refusal = (act: () => unknown): unknown => {
  try {
    act()
  } catch (error) {
    return isAppError(error) ? [error.code, error.options.target] : error
  }
  return 'accepted'
}
const refused = ['invalid_request', 'cursor']

const scope = fc.record({
  function: fc.constantFrom('list-order-lines', 'list-customers'),
  customerTenantId: fc.option(fc.uuid(), { nil: undefined }),
  search: fc.option(fc.string(), { nil: undefined }),
  createdFrom: fc.option(fc.record({ seconds: fc.integer(), fraction: fc.string() }), { nil: undefined }),
})
const position = fc.tuple(fc.nat(), fc.string())

describe('a cursor', () => {
  test('a cursor returns its position within its scope, for any order of the filters', () => {
    fc.assert(
      fc.property(position, scope, (at, where) => {
        const cursor = encodeCursor(at, where)
        expect(cursor).toMatch(/^[\w-]+$/)
        const { function: name, ...filters } = where
        expect(decodeCursor(cursor, { ...filters, function: name })).toEqual(at)
      }),
      { numRuns: 10_000 },
    )
  })

  test('a cursor is refused in any other scope', () => {
    fc.assert(
      fc.property(position, scope, scope, (at, where, elsewhere) => {
        fc.pre(
          JSON.stringify(Object.entries(where).filter(([, value]) => value !== undefined)) !==
            JSON.stringify(Object.entries(elsewhere).filter(([, value]) => value !== undefined)),
        )
        expect(refusal(() => decodeCursor(encodeCursor(at, where), elsewhere))).toEqual(refused)
      }),
      { numRuns: 10_000 },
    )
  })

  test('a cursor is refused if one character was changed, added or removed', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    fc.assert(
      fc.property(
        position,
        scope,
        fc.nat(),
        fc.constantFrom(...alphabet),
        fc.constantFrom('change', 'add', 'drop'),
        (at, where, index, character, how) => {
          const cursor = encodeCursor(at, where)
          const place = index % cursor.length
          const edited =
            cursor.slice(0, place) + (how === 'drop' ? '' : character) + cursor.slice(how === 'add' ? place : place + 1)
          fc.pre(edited !== cursor)
          expect(refusal(() => decodeCursor(edited, where))).toEqual(refused)
        },
      ),
      { numRuns: 10_000 },
    )
  })

  test.each(['', 'A', '====', 'not base64url!', 'e30', 'x'.repeat(4096)])(
    'a cursor that no function returned (%.10s) is refused',
    text => {
      expect(refusal(() => decodeCursor(text, { function: 'list-customers' }))).toEqual(refused)
    },
  )
})
