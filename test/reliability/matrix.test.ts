import { expect, inject, test } from 'vitest'
import type { Cell } from './expectations.ts'
import type { FaultName } from './faults.ts'
import { cells, faultsOf, runMatrix } from './matrix.ts'

/** Faults of each kind that a cell takes little time for. `npm run test:long` runs all of them. */
const quick: readonly FaultName[] = ['reset once', 'status 403', 'HTML for a body', 'clock a day behind']

function isQuick({ operation, dependency, fault }: Cell): boolean {
  // Their workers keep what they have read, so that a cell that succeeds costs a start of the host.
  if (operation === 'read') {
    if (dependency === 'upstream') return quick.includes(fault) || fault === 'silent' || fault === 'status 429'
    return dependency === 'blob' ? quick.includes(fault) : dependency === 'vault' && fault === 'status 403'
  }
  // What the app repeats takes five deliveries of a message.
  return quick.includes(fault) && (operation !== 'plan' || dependency !== 'authority' || fault !== 'HTML for a body')
}

test('a fault of any dependency has the documented outcome, in time, and leaves nothing behind', async () => {
  const chosen = cells.filter(isQuick)
  expect(chosen.length).toBeGreaterThan(70)
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
