import { expect, inject, test } from 'vitest'
import type { Cell } from './expectations.ts'
import type { FaultName } from './faults.ts'
import { cells, faultsOf, runMatrix } from './matrix.ts'

/** Faults that a cell takes little time for. `npm run reliability` runs all of them. */
const quick: readonly FaultName[] = ['reset once', 'status 403']
const quickReads: readonly FaultName[] = [...quick, 'HTML for a body', 'clock a day behind', 'silent', 'status 429']

function isQuick({ operation, dependency, fault }: Cell): boolean {
  if (operation !== 'read') return quick.includes(fault)
  // A worker keeps its token and its secret, so that for these each read that succeeds costs a start of the host.
  return dependency === 'upstream' ? quickReads.includes(fault) : dependency === 'vault' && fault === 'status 403'
}

test('a fault of any dependency has the documented outcome, in time, and leaves nothing behind', {
  timeout: 120_000,
}, async () => {
  const chosen = cells.filter(isQuick)
  expect(chosen.length).toBeGreaterThan(30)
  expect(faultsOf(await runMatrix(inject('storage'), chosen))).toEqual([])
})

test('every cell has an expectation, and a result that differs is told', () => {
  const good = cells.map(cell => ({ ...cell, outcome: '', ms: 0, requests: 0, afterwards: '' }))
  expect(faultsOf(good)).toHaveLength(cells.length)
  const [cell] = cells
  if (cell === undefined) throw new Error('There are no cells')
  const late = { ...cell, outcome: '503 partner_center_unavailable', ms: 60_000, requests: 1, afterwards: 'stuck' }
  expect(faultsOf([late])).toEqual([
    'read, upstream: connection refused: after 60000 ms',
    'read, upstream: connection refused: stuck',
  ])
})
