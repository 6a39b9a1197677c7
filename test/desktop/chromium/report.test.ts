import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { renderEmail } from '../../../shared/report/email.ts'
import type { Figures } from '../../../shared/report/figures.ts'
import { createLinks } from '../../../shared/report/links.ts'
import { renderPage } from '../../../shared/report/page.ts'
import { policyOf } from '../../../shared/report/policy.ts'
import { startBrowser } from '../../support/browser.ts'
import { fullFigures } from '../../support/report-figures.ts'

const address = 'http://report.example/'
const links = createLinks('')

const names = [
  'Aarhus Bakery AG',
  '<b onmouseover="alert(1)">Bold & "Söhne"</b>',
  'مؤسسة الاختبار للتجارة',
  '🚀🚀 Rocket Suite',
  'L'.repeat(400),
]
const varied = () => {
  let at = 0
  return fullFigures(() => names[at++ % names.length] ?? '')
}

/** The smallest figures: a first run without customers. */
const empty = (): Figures => {
  const { run, ...figures } = fullFigures(() => '')
  const { error: _, ...rest } = run
  return {
    ...figures,
    run: { ...rest, status: 'succeeded', orders: 0, changes: { created: 0, updated: 0, removed: 0 } },
    customers: { planned: 0, read: 0, failed: 0, gone: 0 },
    changes: { missing: 'first run' },
    failures: { total: 0, groups: [] },
    gone: [],
    history: figures.history.slice(0, 1),
    lines: { missing: 'damaged' },
  }
}

const scenes: Record<string, () => Figures> = { full: varied, empty }

/** Expressions that the browser evaluates. Their names do not exist in this process. */
const widthNeeded = 'document.documentElement.scrollWidth'
const elementsOutside =
  "[...document.querySelectorAll('main *')].filter(each => !each.closest('svg') && each.getBoundingClientRect().right > innerWidth + 1).map(each => each.outerHTML.slice(0, 200))"
const styleOf = (selector: string, property: string) =>
  `getComputedStyle(document.querySelector('${selector}')).${property}`

let browser: Browser

beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser.close())

type Shown = { page: Page; requests: string[]; complaints: string[]; close: () => Promise<void> }

/** Shows a report with the policy of the app, and records every other request and every violation of the policy. */
async function show(body: string, policy: string, options: Parameters<Browser['newPage']>[0]): Promise<Shown> {
  const page = await browser.newPage({ ...options, bypassCSP: false })
  const [requests, complaints]: [string[], string[]] = [[], []]
  await page.route('**', route => {
    if (route.request().url() !== address) requests.push(route.request().url())
    return route.fulfill({
      body,
      headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy },
    })
  })
  page.on('console', message => complaints.push(message.text()))
  page.on('pageerror', error => complaints.push(String(error)))
  await page.goto(address)
  return { page, requests, complaints, close: () => page.close() }
}

const showPage = (figures: Figures, options: Parameters<Browser['newPage']>[0] = {}) => {
  const page = renderPage(figures, links)
  return show(page, policyOf(page), options)
}

/** The findings of axe, with the elements. */
async function findingsOf({ page }: Shown): Promise<string[]> {
  // Playwright evaluates this outside of the policy of the page, which allows no script.
  const found = await page.evaluate(
    `(() => { ${axe.source}; return axe.run(document, { resultTypes: ['violations'] }) })()`,
  )
  const { violations } = found as { violations: { id: string; nodes: { html: string }[] }[] }
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 120)}`))
}

describe.each(Object.keys(scenes))('the report with figures that are %s', name => {
  const figures = () => scenes[name]?.() ?? varied()

  test.each([390, 768, 1280])(
    'the report fits a window %i pixels wide, loads nothing, and has its style',
    async width => {
      const shown = await showPage(figures(), { viewport: { width, height: 900 } })
      const { page, requests, complaints } = shown
      try {
        const widest = await page.evaluate(widthNeeded)
        expect(widest).toBeLessThanOrEqual(width)
        expect(await page.evaluate(elementsOutside)).toEqual([])
        expect({ requests, complaints }).toEqual({ requests: [], complaints: [] })
        expect(await page.evaluate(styleOf('.card', 'borderRadius'))).toBe('14px')
      } finally {
        await shown.close()
      }
    },
  )

  test.each(['light', 'dark'] as const)('the report has no finding of axe in %s', async colorScheme => {
    for (const width of [390, 1280]) {
      const shown = await showPage(figures(), { colorScheme, viewport: { width, height: 900 } })
      try {
        await shown.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        expect(await findingsOf(shown)).toEqual([])
      } finally {
        await shown.close()
      }
    }
  })

  test('the report prints on A4 within its width, dark or light', async () => {
    const shown = await showPage(figures(), { colorScheme: 'dark' })
    try {
      const pdf = await shown.page.pdf({ preferCSSPageSize: true })
      expect(pdf.toString('latin1')).toMatch(/\/MediaBox \[\s*0 0 59[45][.\d]* 84[12][.\d]*\s*\]/)
      await shown.page.emulateMedia({ media: 'print', colorScheme: 'dark' })
      expect(await shown.page.evaluate(styleOf(':root', 'backgroundColor'))).toBe('rgb(255, 255, 255)')
      expect(await shown.page.evaluate(styleOf('nav', 'display'))).toBe('none')
      await shown.page.setViewportSize({ width: 688, height: 900 })
      expect(await shown.page.evaluate(widthNeeded)).toBeLessThanOrEqual(688)
    } finally {
      await shown.close()
    }
  })
})

test('the report has every link and chart table in reach of the keyboard, and headings and landmarks', async () => {
  const shown = await showPage(varied())
  const { page } = shown
  try {
    const focusable = await page.locator('a, summary').count()
    const reached = new Set<string>()
    for (let presses = 0; presses < focusable; presses++) {
      await page.keyboard.press('Tab')
      reached.add(await page.evaluate('document.activeElement.outerHTML'))
      if ((await page.evaluate('document.activeElement.tagName')) === 'SUMMARY') await page.keyboard.press('Enter')
    }
    const all: string[] = await page.evaluate(
      "[...document.querySelectorAll('a, summary')].map(each => each.outerHTML)",
    )
    expect(all.filter(each => !reached.has(each))).toEqual([])
    expect(await page.locator('details[open]').count()).toBe(2)
    expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1)
    expect(await page.getByRole('main').getByRole('region').count()).toBe(7)
    const charts = await page.getByRole('img').evaluateAll(all => all.map(each => each.getAttribute('aria-label')))
    expect(charts).toContainEqual(expect.stringMatching(/^Duration\. Between .+; the newest .+\./))
    expect(charts.length).toBe(6)
    for (const table of await page.getByRole('table').all())
      expect(await table.locator('caption, th[scope="col"], th[scope="row"]').count()).toBeGreaterThan(3)
  } finally {
    await shown.close()
  }
})

test('a right-to-left name does not reorder the text around it', async () => {
  const shown = await showPage(varied())
  try {
    const directions: string[] = await shown.page.evaluate(
      "[...document.querySelectorAll('bdi')].filter(each => each.textContent.includes('مؤسسة')).map(each => getComputedStyle(each).direction)",
    )
    expect(new Set(directions)).toEqual(new Set(['rtl']))
    expect(directions.length).toBeGreaterThan(5)
    expect(await shown.page.evaluate(styleOf('body', 'direction'))).toBe('ltr')
    expect(await shown.page.locator('b').count()).toBe(0)
  } finally {
    await shown.close()
  }
})

test.each([390, 768, 1280])('the report mail fits a window %i pixels wide, and axe finds nothing', async width => {
  const policy = "default-src 'none'; style-src 'unsafe-inline'"
  const body = renderEmail(varied(), createLinks('https://app.example'))
  const shown = await show(body, policy, { viewport: { width, height: 900 } })
  try {
    expect(await shown.page.evaluate(widthNeeded)).toBeLessThanOrEqual(width)
    expect(await findingsOf(shown)).toEqual([])
    expect({ requests: shown.requests, complaints: shown.complaints }).toEqual({ requests: [], complaints: [] })
  } finally {
    await shown.close()
  }
})
