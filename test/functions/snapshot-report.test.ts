import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refuse } from '../../local/simulator/failure-cases.ts'
import { type RunningApp, startApp } from '../support/running-app.ts'
import { openContainer, readBlob, takeSnapshot } from '../support/snapshots.ts'

let app: RunningApp

beforeAll(async () => {
  app = await startApp({
    simulator: { customers: 30, ordersEach: 4 },
    settings: { PARTNER_CENTER_REQUESTS_PER_MINUTE: '60000', SNAPSHOT_CUSTOMERS_PER_PART: '10' },
    prepare({ keyVault }) {
      const secret = keyVault.secrets.get('partner-center-client-secret')?.at(-1)
      if (secret !== undefined) secret.expires = Math.round(Date.now() / 1000) + 20 * 86_400 + 3600
    },
  })
})
afterAll(() => app.stop())

const get = (path: string, headers: Record<string, string> = {}) => fetch(app.api + path, { headers })
const idOf = async (response: Response) => ((await response.json()) as { snapshotId: string }).snapshotId
const codeOf = async (response: Response) => {
  const { error } = (await response.json()) as { error: { code: string; target?: string } }
  return [response.status, error.code, ...(error.target === undefined ? [] : [error.target])]
}

test('the report is 404 before the first snapshot', async () => {
  expect(await codeOf(await get('/snapshots/latest/report'))).toEqual([404, 'snapshot_not_found'])
})

test.each([
  ['/snapshots/newest/report', 'snapshotId'],
  ['/snapshots/20261120/report', 'snapshotId'],
  ['/snapshots/latest/report?format=pdf', 'format'],
  ['/snapshots/latest/report?fromat=html', 'fromat'],
])('%s is refused with the parameter at fault', async (path, target) => {
  expect(await codeOf(await get(path))).toEqual([400, 'invalid_request', target])
})

describe('the report after a snapshot', () => {
  let id: string

  beforeAll(async () => {
    const faulty = app.simulator.partnerCenter.customers[3]?.id ?? ''
    app.simulator.partnerCenter.faults.set(faulty, refuse(403, '20002', 'No relationship.'))
    id = await idOf(await takeSnapshot(app.api))
  })

  test('the report page equals the stored page, and its headers allow a browser only to show it', async () => {
    const response = await get(`/snapshots/${id}/report`)
    const page = await response.text()
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'private, no-cache',
      'x-correlation-id': expect.stringMatching(/./),
    })
    const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(page) ?? []
    const hash = createHash('sha256').update(style).digest('base64')
    expect(response.headers.get('content-security-policy')).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'`,
    )
    expect(page).toContain('1 of 30 customers could not be read.')
    const blob = `snapshots/date=${id.replace(/^(....)(..)(..)T.*$/, '$1-$2-$3')}/run=${id}/_report.html`
    expect((await readBlob(openContainer(app.storage), blob)).toString('utf8')).toBe(page)
    const properties = await openContainer(app.storage).getBlobClient(blob).getProperties()
    expect(properties.contentType).toBe('text/html; charset=utf-8')
  })

  test('the report of "latest" in any case is the same page, and its ETag leads to 304', async () => {
    const [page, latest] = [await get(`/snapshots/${id}/report`), await get('/snapshots/LATEST/report?format=HTML')]
    expect(await latest.text()).toBe(await page.text())
    const etag = page.headers.get('etag') ?? ''
    expect(etag).toMatch(/^"/)
    expect((await get('/snapshots/latest/report', { 'if-none-match': etag })).status).toBe(304)
  })

  test('the report mail has absolute links without a key, and no style sheet', async () => {
    const response = await get('/snapshots/latest/report?format=email&code=a-key-in-the-address')
    const mail = await response.text()
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(mail).toContain(`href="${app.api}/snapshots/${id}/report"`)
    expect(mail).not.toMatch(/a-key-in-the-address|<style|<script|<svg/)
  })

  test('the report warns of a credential that expires soon', async () => {
    const page = await (await get('/snapshots/latest/report')).text()
    expect(page).toMatch(/<h3>Credential<\/h3>.+partner-center-client-secret expires in 20 days, on /)
  })

  test('the links of the report lead to the orders of the customer', async () => {
    const page = await (await get('/snapshots/latest/report')).text()
    const [, path = ''] = /href="(\/api\/customers\/[^"]+\/orders)"/.exec(page) ?? []
    expect((await fetch(app.url + path)).status).toBe(403)
  })

  test('the report of a run that goes on responds with 202 and a location, until the run has ended', async () => {
    app.simulator.partnerCenter.latencyMs = 100
    const started = await fetch(`${app.api}/snapshots`, { method: 'POST' })
    const running = await idOf(started)
    const response = await get(`/snapshots/${running}/report?format=email`)
    expect(response.status).toBe(202)
    expect(response.headers.get('location')).toBe(`${app.api}/snapshots/${running}/report?format=email`)
    expect(response.headers.get('retry-after')).toMatch(/^\d+$/)
    expect(await response.json()).toMatchObject({ snapshotId: running, status: 'running' })
    expect(await (await get('/snapshots/latest/report')).text()).toContain(`<code>${id}</code>`)
    app.simulator.partnerCenter.latencyMs = 0
    await expect
      .poll(async () => (await get(`/snapshots/${running}/report?format=email`)).status, { timeout: 20_000 })
      .toBe(200)
  })

  test('the report of a snapshot that failed responds with 200 and says why it failed', async () => {
    app.simulator.partnerCenter.outage = refuse(401, '900421', 'MFA required.')
    expect((await takeSnapshot(app.api)).status).toBe(424)
    app.simulator.partnerCenter.outage = undefined
    const response = await get('/snapshots/latest/report')
    expect(response.status).toBe(200)
    expect(await response.text()).toContain('Partner Center requires multi-factor authentication')
  })

  test('the report of an unknown snapshot is 404', async () => {
    expect(await codeOf(await get('/snapshots/20000101T000000Z/report'))).toEqual([404, 'snapshot_not_found'])
  })
})
