import { afterAll, beforeAll, expect, test } from 'vitest'
import { caseId } from '../../../local/simulator/failure-cases.ts'
import { createListedCases, type ListedCases } from '../../../local/simulator/listed-cases.ts'
import { type Simulator, startSimulator } from '../../../local/simulator/simulator.ts'

let simulator: Simulator
let cases: ListedCases
let token: string

beforeAll(async () => {
  simulator = await startSimulator({ customers: 3 })
  cases = createListedCases(simulator.partnerCenter, [20002])
  const { audience } = simulator.partnerCenter
  token = simulator.entra.issue({ audience, expiresAt: Date.now() + 60_000, mfa: true, kind: 'app' })
})
afterAll(() => simulator.stop())

async function ask(path: string) {
  const response = await fetch(simulator.plainUrl + path, { headers: { authorization: `Bearer ${token}` } })
  return { status: response.status, body: (await response.json()) as { items?: { id: string }[] } }
}
const listed = async () => (await ask('/v1/customers')).body.items?.map(({ id }) => id)
const orders = async (digits: number) => ask(`/v1/customers/${caseId(digits)}/orders?include_system_purchases=true`)

test('a failure case is listed on request, and fails in any case', async () => {
  expect((await listed())?.slice(3)).toEqual([caseId(20002)])
  expect([(await orders(20002)).status, (await orders(60003)).status]).toEqual([403, 404])

  expect(cases.list(60003, true)).toBe(true)
  expect(cases.list(60003, true)).toBe(true)
  expect((await listed())?.slice(3)).toEqual([caseId(20002), caseId(60003)])
  expect((await orders(60003)).status).toBe(404)
  expect(
    cases
      .all()
      .filter(({ isListed }) => isListed)
      .map(({ digits }) => digits),
  ).toEqual([20002, 60003])

  expect(cases.list(60003, false)).toBe(true)
  expect((await listed())?.slice(3)).toEqual([caseId(20002)])
  expect(cases.list(1, true)).toBe(false)
})

test('listed failure cases can succeed for a while', async () => {
  cases.setFailing(false)
  expect((await orders(20002)).body.items).toHaveLength(3)
  expect((await orders(60003)).status).toBe(404)
  cases.setFailing(true)
  expect((await orders(20002)).status).toBe(403)
})
