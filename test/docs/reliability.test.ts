import { expect, test } from 'vitest'
import { renderDocument } from '../reliability/document.ts'
import type { Cell } from '../reliability/expectations.ts'
import { readFigures } from '../reliability/figures.ts'
import { cells, faultsOf } from '../reliability/matrix.ts'
import { readDocument } from '../support/markdown.ts'

test('docs/reliability.md is what `npm run reliability` writes of its figures', () => {
  expect(readDocument('docs/reliability.md')).toBe(renderDocument())
})

test('its figures are of every cell, and each is what the contract says today', () => {
  const measured = (readFigures('matrix') ?? []).map(([operation, dependency, fault, outcome, seconds, requests]) => ({
    ...({ operation, dependency, fault } as Cell),
    outcome,
    ms: seconds * 1000,
    requests,
    afterwards: '',
  }))
  expect(measured.map(({ operation, dependency, fault }) => ({ operation, dependency, fault }))).toEqual(cells)
  expect(faultsOf(measured)).toEqual([])
})
