import fc from 'fast-check'
import { type DefaultTreeAdapterTypes, parse } from 'parse5'
import { expect, test } from 'vitest'
import { renderEmail } from '../../../shared/report/email.ts'
import type { Figures } from '../../../shared/report/figures.ts'
import { createLinks } from '../../../shared/report/links.ts'
import { html, shown, toText } from '../../../shared/report/markup.ts'
import { renderPage } from '../../../shared/report/page.ts'
import { fullFigures } from '../../support/report-figures.ts'

type Node = DefaultTreeAdapterTypes.Node

type Parsed = {
  /** The elements and the names of their attributes, in the order of the page. Unescaped markup would change them. */
  shape: string[]
  /** Texts of elements, and values of attributes. */
  texts: string[]
  errors: string[]
}

function read(page: string): Parsed {
  const parsed: Parsed = { shape: [], texts: [], errors: [] }
  const visit = (node: Node): void => {
    if ('value' in node) parsed.texts.push(node.value)
    if ('attrs' in node) {
      parsed.shape.push(`${node.tagName} ${node.attrs.map(({ name }) => name).join(' ')}`)
      parsed.texts.push(...node.attrs.map(({ value }) => value))
    }
    if ('childNodes' in node) for (const child of node.childNodes) visit(child)
  }
  const document = parse(page, { onParseError: ({ code }) => parsed.errors.push(code) })
  visit(document)
  return parsed
}

const renderers = {
  page: (figures: Figures) => renderPage(figures, createLinks('')),
  mail: (figures: Figures) => renderEmail(figures, createLinks('https://app.example')),
}

/**
 * Dangerous text: markup, quotes, entities, comments, end tags, control characters, direction marks, unpaired
 * surrogates.
 */
const dangerous = fc.oneof(
  fc.constantFrom(
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '</style></title><b>',
    '<!-- --> ]]> <![CDATA[',
    '&lt;b&gt; &amp; &#x3c; &nbsp',
    '@style@',
    '\u202ertl\u2066',
    'שלום <b>',
    '🚀'.repeat(400),
    'a\0b\rc\u0085d',
    '\ud83d',
    'javascript:alert(1)',
  ),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 450 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 50 }),
)

const kept = (text: string) => `x${text}x`

test.each(Object.keys(renderers) as (keyof typeof renderers)[])(
  'text of the data never becomes markup in the %s',
  form => {
    const render = renderers[form]
    const plain = read(render(fullFigures(() => 'xx')))
    expect(plain.errors).toEqual([])
    expect(plain.shape.length).toBeGreaterThan(500)
    fc.assert(
      fc.property(fc.array(dangerous, { minLength: 1, maxLength: 12 }), texts => {
        let at = 0
        const used: string[] = []
        const figures = fullFigures(() => {
          const text = kept(texts[at++ % texts.length] ?? '')
          used.push(text)
          return text
        })
        const { shape, texts: found, errors } = read(render(figures))
        expect(errors).toEqual([])
        // A group whose customers failed with different messages shows each message.
        const isMessage = (tag: string) => tag !== 'bdi dir'
        expect(shape.filter(isMessage)).toEqual(plain.shape.filter(isMessage))
        // The first text is the reason of the failure. The page and the mail show it in full.
        expect(found.join('\n')).toContain(shown(used[0] ?? '', 300))
      }),
      { numRuns: 60 },
    )
  },
)

test('the report page shows a text unchanged', () => {
  fc.assert(
    fc.property(dangerous, text => {
      const clean = shown(text, 1000)
      const { texts } = read(`<!doctype html><title>t</title>${toText(html`<p title="${clean}">${clean}</p>`)}`)
      expect(texts.filter(each => each === clean).length).toBeGreaterThanOrEqual(clean === '' ? 1 : 2)
    }),
  )
})

test('a shown text is cut at whole characters, and has no character that hides or reorders other text', () => {
  expect([...shown('🚀'.repeat(400))]).toHaveLength(120)
  expect(shown('🚀'.repeat(400)).isWellFormed()).toBe(true)
  expect(shown('a\u202eb\u2069c')).toBe('abc')
  expect(shown('  a\n\tb  ')).toBe('a b')
  expect(shown('a\0b')).toBe('a\ufffdb')
  expect(shown('\ud83d')).toBe('\ufffd')
})
