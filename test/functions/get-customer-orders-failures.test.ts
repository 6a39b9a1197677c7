import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { caseId, compressed, hang, refuse, throttle } from '../../local/simulator/failure-cases.ts'
import { documentedCustomerId } from '../../local/simulator/sample-data.ts'
import type { Collection, Problem } from '../support/http-responses.ts'
import { type RunningApp, startApp } from '../support/running-app.ts'

let app: RunningApp

beforeAll(async () => {
  app = await startApp({ storage: inject('storage'), settings: { REQUEST_DEADLINE_SECONDS: '3' } })
})
afterAll(() => app.stop())
afterEach(() => {
  app.simulator.partnerCenter.outage = undefined
  app.simulator.partnerCenter.ordersPerPage = undefined
  app.simulator.partnerCenter.pricesAllowed = true
})

const ordersUrl = (customer: string, query = '') => `${app.api}/customers/${customer}/orders${query}`
const get = (customer: string, query = '', headers = {}) => fetch(ordersUrl(customer, query), { headers })

describe('a failure', () => {
  test.each([
    [20002, 403, 'no_customer_relationship', false],
    [60003, 404, 'customer_not_found', false],
    [1000, 404, 'customer_not_found', false],
    [900308, 403, 'partner_center_forbidden', false],
    [403, 403, 'partner_center_forbidden', false],
    [900421, 424, 'mfa_required', false],
    [10001, 424, 'mfa_required', false],
    [900420, 424, 'wrong_audience', false],
    [401, 424, 'credential_rejected', false],
    [429, 429, 'partner_center_throttled', true],
    [500, 503, 'partner_center_unavailable', true],
    [503, 503, 'partner_center_unavailable', true],
    [101, 503, 'partner_center_unavailable', true],
    [102, 503, 'partner_center_unavailable', true],
    [504, 503, 'deadline_exceeded', true],
    [900118, 502, 'partner_center_invalid_response', false],
    [2001, 502, 'partner_center_invalid_response', false],
    [2002, 502, 'partner_center_invalid_response', false],
    [2005, 502, 'partner_center_invalid_response', false],
  ])('upstream failure %i gives %i %s', async (digits, status, code, retryable) => {
    const response = await get(caseId(digits), '', { 'x-ms-client-tracking-id': `case-${digits}` })
    const text = await response.text()
    const problem = JSON.parse(text) as Problem

    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.get('cache-control')).toBe('private, no-store')
    expect(response.headers.get('x-correlation-id')).toBe(`case-${digits}`)
    expect(problem).toMatchObject({ status, error: { code }, retryable, correlationId: `case-${digits}` })
    expect(problem.instance).toBe(`/api/customers/${caseId(digits)}/orders`)
    expect([problem.type, problem.title, problem.detail].every(member => member.length > 0)).toBe(true)
    expect(text).not.toMatch(/null|<html|simulated-|at .*\.js/)
    const retryAfter = response.headers.get('retry-after')
    if (retryable) expect(retryAfter).toMatch(/^[1-9]\d*$/)
    else expect(retryAfter).toBeNull()
    if (digits === 429) expect(retryAfter).toBe('3600')
  })

  test.each([103, 4291, 2003, 2004])('upstream failure %i that clears is not visible to the caller', async digits => {
    const response = await get(caseId(digits))
    expect(response.status).toBe(200)
    expect(((await response.json()) as Collection).items).toEqual([])
  })

  test('a wrong secret at the token endpoint needs a person, and an outage does not', async () => {
    const { entra } = app.simulator
    const secrets = [...entra.clientSecrets]
    entra.revoke('app')
    entra.clientSecrets.clear()
    const rejected = await get(documentedCustomerId)
    for (const secret of secrets) entra.clientSecrets.add(secret)
    entra.failures.push(...Array.from({ length: 4 }, () => ({ status: 503, headers: { 'retry-after': '0' } })))
    const outage = await get(documentedCustomerId)

    expect(rejected.status).toBe(424)
    expect(((await rejected.json()) as Problem).error).toMatchObject({
      code: 'credential_rejected',
      message: expect.stringContaining('AADSTS7000215'),
    })
    expect(outage.status).toBe(503)
    expect(((await outage.json()) as Problem).error.code).toBe('authority_unavailable')
    expect((await get(documentedCustomerId)).status).toBe(200)
  })

  test('a hanging upstream fails the request within the deadline', async () => {
    app.simulator.partnerCenter.outage = hang
    const startedAt = Date.now()
    const response = await get(documentedCustomerId)

    expect(((await response.json()) as Problem).error.code).toBe('deadline_exceeded')
    expect(Date.now() - startedAt).toBeLessThan(6000)
  })

  test('a decompression bomb of the upstream is refused', async () => {
    app.simulator.partnerCenter.outage = compressed(`{"items":[${'{},'.repeat(200_000)}{}]}`)
    const response = await get(documentedCustomerId)

    expect(response.status).toBe(502)
    expect(((await response.json()) as Problem).error.code).toBe('partner_center_invalid_response')
  })

  test('a failure writes no secret to the log', async () => {
    app.simulator.partnerCenter.outage = refuse(
      403,
      '900308',
      'Bearer simulated-token-in-text refused, client_secret=hunter2',
    )
    await get(documentedCustomerId)

    const log = app.host.lines.join('\n')
    expect(log).toContain('900308')
    expect(log).not.toMatch(/hunter2|simulated-token-in-text|simulated-client-secret|simulated-[0-9a-f]{8}-/)
  })
})

test('a throttled request waits within its deadline, or returns Retry-After', async () => {
  app.simulator.partnerCenter.outage = throttle(10)
  const response = await get(documentedCustomerId)

  expect(response.status).toBe(429)
  expect(response.headers.get('retry-after')).toBe('10')
})
