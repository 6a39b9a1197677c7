import { expect, inject, test } from 'vitest'
import { recordFigures, toRows } from './figures.ts'
import { cells, faultsOf, runMatrix } from './matrix.ts'

test('every fault of every dependency has the documented outcome, in time, and leaves nothing behind', async () => {
  const results = await runMatrix(inject('storage'), cells)
  expect(faultsOf(results)).toEqual([])
  const order = new Map(cells.map((cell, at) => [`${cell.operation} ${cell.dependency} ${cell.fault}`, at]))
  const placeOf = ({ operation, dependency, fault }: (typeof results)[number]): number =>
    order.get(`${operation} ${dependency} ${fault}`) ?? 0
  recordFigures('matrix', toRows(results.toSorted((a, b) => placeOf(a) - placeOf(b))))
})
