import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { startBrowser } from '../../support/browser.ts'
import { type LocalStart, startEverything } from '../../support/local-start.ts'

// All services start here, possibly on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

let started: LocalStart
let browser: Browser
let page: Page
let strangers: string[]
let complaints: string[]

beforeAll(async () => {
  started = await startEverything(['--changes', 'off'])
  browser = await startBrowser()
})
afterAll(async () => {
  await browser.close()
  await started.stop()
})

beforeEach(async () => {
  page = await browser.newPage()
  page.setDefaultTimeout(50_000)
  strangers = []
  complaints = []
  page.on('request', request => {
    const { origin, protocol } = new URL(request.url())
    if (origin !== started.url && protocol !== 'data:') strangers.push(request.url())
  })
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', error => complaints.push(String(error)))
  return async () => {
    await page.close()
    expect({ strangers, complaints }).toEqual({ strangers: [], complaints: [] })
  }
})

const open = async (path = '/') => {
  await page.goto(started.url + path)
  if (path === '/') await page.locator('body[data-ready]').waitFor()
}
const answer = () => page.locator('#answer').textContent()
const status = (code: number) => page.locator('#answer .pill', { hasText: String(code) }).waitFor()
const choose = (name: string) => page.getByRole('button', { name, exact: true }).click()

describe('the page of `npm start`', () => {
  test('the page of `npm start` begins with the orders of the documented customer, and says that the app runs', async () => {
    await open()
    await status(200)
    expect(await answer()).toContain('"totalCount": 2')
    expect(await answer()).toContain('x-orders-source: live')
    expect(await page.getByRole('status').textContent()).toBe('running')
  })

  test('the page of `npm start` calls a function for the selected customer, with an order and a snapshot filled in', async () => {
    await open()
    await page.getByLabel('Customer', { exact: true }).selectOption({ index: 3 })
    const customer = await page.getByLabel('Customer', { exact: true }).inputValue()
    await choose('GET Get order')
    await expect
      .poll(() => page.getByLabel('Address').inputValue(), { timeout: 20_000 })
      .toMatch(new RegExp(`^/api/customers/${customer}/orders/.+`))
    await choose('Send')
    await status(200)
    expect(await answer()).toContain(`"referenceCustomerId": "${customer}"`)

    await choose('GET Get snapshot')
    await expect
      .poll(() => page.getByLabel('Address').inputValue(), { timeout: 20_000 })
      .toMatch(/^\/api\/snapshots\/\d{8}T\d{6}Z$/)
    await choose('Send')
    await status(200)
  })

  test('the page of `npm start` has a request for every operation of the document', async () => {
    await open()
    const document = (await (await fetch(`${started.url}/api/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { summary: string }>>
    }
    const summaries = Object.entries(document.paths)
      .filter(([path]) => path !== '/api/customers/{customerTenantId}/orders')
      .flatMap(([, methods]) => Object.values(methods).map(({ summary }) => summary))
    const shown = await page.locator('#operations button span:last-child').allInnerTexts()
    expect(summaries.filter(summary => !shown.includes(summary))).toEqual([])
  })

  test('the page of `npm start` follows a cursor to the changes since then', async () => {
    await open()
    const { paths } = (await (await fetch(`${started.url}/api/openapi.json`)).json()) as {
      paths: Record<string, { get?: { summary: string } }>
    }
    await choose(`GET ${paths['/api/order-changes']?.get?.summary ?? 'When an order is created or changed'}`)
    await choose('Send')
    await status(200)
    await choose('What has changed since')
    await expect.poll(() => page.getByLabel('Address').inputValue(), { timeout: 20_000 }).toContain('cursor=')
    await status(200)
  })

  test('the page of `npm start` shows the newest snapshot with its failures and its files, which open as text', async () => {
    await open()
    const snapshot = page.locator('#snapshot')
    expect(await snapshot.textContent()).toMatch(/some customers failed/)
    expect(await snapshot.textContent()).toMatch(/40\/42/)
    expect(await snapshot.textContent()).toMatch(/Example: no reseller relationship – /)
    const [part] = await Promise.all([
      page.waitForEvent('popup'),
      snapshot.getByRole('link', { name: /^part-00000\.ndjson/ }).click(),
    ])
    expect(await part.locator('body').textContent()).toMatch(/^\{"customerTenantId":/)
    await part.close()
  })

  test('the page of `npm start` opens the report of the newest snapshot', async () => {
    await open()
    const [report] = await Promise.all([
      page.waitForEvent('popup'),
      page.locator('#snapshot').getByRole('link', { name: 'Open the report' }).click(),
    ])
    await report.getByRole('heading', { name: /^Orders of / }).waitFor()
    expect(await report.locator('.status').textContent()).toMatch(/2 of 42 customers could not be read/)
    await report.close()
  })

  test('the page of `npm start` takes a snapshot that finds changes and a customer that was switched to fail', async () => {
    await open()
    await page.getByRole('button', { name: 'Change one now' }).click()
    await page.getByText('Switched off; 13 so far').waitFor()
    await page.getByText('Customers that fail').click()
    await page.getByRole('checkbox', { name: 'HTML instead of JSON: in the list' }).check({ force: true })
    await page.getByRole('button', { name: 'Take one now' }).click()
    await page.locator('#snapshot', { hasText: 'Example: HTML instead of JSON' }).waitFor()
    expect(await page.locator('#snapshot').textContent()).toMatch(/40\/43/)
  })

  test('the page of `npm start` shows a failure for a failing customer', async () => {
    await open()
    await page.getByText('Customers that fail').click()
    await page.getByRole('button', { name: 'no reseller relationship', exact: true }).click()
    await status(403)
    expect(await answer()).toContain('"code": "no_customer_relationship"')
    complaints = complaints.filter(text => !text.includes('403'))
  })
})

describe('the reference', () => {
  test('the reference shows the document of this host, over http, and sends a request', async () => {
    await open('/reference')
    await page.locator('.opblock').first().waitFor()
    const operations = await page.locator('.opblock').count()
    expect(operations).toBeGreaterThan(8)
    expect(await page.locator('.schemes select').inputValue()).toBe('http')
    const list = page.locator('.opblock', { hasText: 'List customers' })
    await list.locator('.opblock-summary-control').click()
    await list.getByRole('button', { name: 'Execute' }).click()
    await list.locator('.live-responses-table .response-col_status', { hasText: '200' }).waitFor()
    expect(await list.locator('.live-responses-table').textContent()).toContain('"companyName"')
  })
})
