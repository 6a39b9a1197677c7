import { type DefaultTreeAdapterTypes, parse } from 'parse5'
import { expect, test } from 'vitest'
import { renderEmail } from '../../../shared/report/email.ts'
import { createLinks } from '../../../shared/report/links.ts'
import { renderPage } from '../../../shared/report/page.ts'
import { policyOf } from '../../../shared/report/policy.ts'
import { fullFigures } from '../../support/report-figures.ts'

const links = createLinks('https://a-function-app-with-a-rather-long-name-0123456789.azurewebsites.net')

test.each(['🚀', '&', 'א', 'L'])(
  'the report page has at most 200 KB with full lists and names of 400 times %s',
  letter => {
    const figures = fullFigures(() => letter.repeat(400))
    expect(Buffer.byteLength(renderPage(figures, links))).toBeLessThan(200_000)
  },
)

test('the report mail with full lists of usual names is below 102 KB, where Gmail cuts it off', () => {
  const figures = fullFigures(() => 'A customer with a usual name GmbH')
  expect(Buffer.byteLength(renderEmail(figures, links))).toBeLessThan(102_000)
})

type Element = DefaultTreeAdapterTypes.Element

function elementsOf(page: string): Element[] {
  const found: Element[] = []
  const visit = (node: DefaultTreeAdapterTypes.Node): void => {
    if ('tagName' in node) found.push(node)
    if ('childNodes' in node) for (const child of node.childNodes) visit(child)
  }
  visit(parse(page))
  return found
}

const figures = fullFigures(() => 'a name')

test('the report mail has only HTML that Outlook for Windows supports', () => {
  const elements = elementsOf(renderEmail(figures, links))
  const tags = new Set(elements.map(({ tagName }) => tagName))
  const [shownTags, shownAttributes] = [
    'html head meta title body table caption thead tbody tr th td div p h1 h2 a strong span br bdi'.split(' '),
    'lang charset role width height cellpadding cellspacing border bgcolor align valign style scope href dir'.split(
      ' ',
    ),
  ]
  expect([...tags].filter(tag => !shownTags.includes(tag))).toEqual([])
  const attributes = new Set(elements.flatMap(({ attrs }) => attrs.map(({ name }) => name)))
  expect([...attributes].filter(name => !shownAttributes.includes(name))).toEqual([])
  const styles = new Set(
    elements.flatMap(({ attrs }) =>
      attrs.filter(({ name }) => name === 'style').flatMap(({ value }) => value.split(';')),
    ),
  )
  const properties = new Set([...styles].map(each => each.split(':')[0]).filter(Boolean))
  // Word supports only tables for layout: no flex, no grid, no position, no background image.
  expect(
    [...properties].filter(each =>
      /^(display|position|float|background-image|border-radius|grid|flex)/.test(each ?? ''),
    ),
  ).toEqual([])
  // Screen readers skip layout tables. Tables with figures have a title and column headings.
  const tables = elements.filter(({ tagName }) => tagName === 'table')
  const isLayout = ({ attrs }: Element) => attrs.some(({ name, value }) => name === 'role' && value === 'presentation')
  expect(tables.filter(isLayout).length).toBeGreaterThan(5)
  for (const table of tables.filter(each => !isLayout(each))) {
    expect(table.childNodes.map(({ nodeName }) => nodeName).slice(0, 2)).toEqual(['caption', 'thead'])
  }
})

test('the report page has no script and no inline style, and loads nothing', () => {
  const elements = elementsOf(renderPage(figures, links))
  const tags = new Set(elements.map(({ tagName }) => tagName))
  for (const tag of ['script', 'link', 'img', 'iframe', 'object', 'base', 'form', 'image', 'use', 'foreignobject'])
    expect([...tags]).not.toContain(tag)
  const attributes = elements.flatMap(({ attrs }) => attrs.map(({ name }) => name))
  expect(attributes.filter(name => name === 'style' || name.startsWith('on') || name === 'src')).toEqual([])
  expect(renderPage(figures, links)).not.toMatch(/url\(|@import|@font-face/)
})

test('the policy allows the style of its own report page, also of a page of another version', () => {
  expect(policyOf('<style>a{}</style>')).not.toBe(policyOf('<style>b{}</style>'))
  const page = renderPage(figures, links)
  const [, inPage = ''] = /style-src ('sha256-[^']+')/.exec(page.replaceAll('&#39;', "'")) ?? []
  expect(inPage).not.toBe('')
  expect(policyOf(page)).toContain(`style-src ${inPage};`)
})
