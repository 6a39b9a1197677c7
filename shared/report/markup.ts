/** HTML text. Only `html` creates it, so that no text gets into a page unescaped. */
const markup = Symbol('markup')
export type Markup = { readonly [markup]: string }

/** The values in a template. Text is escaped, and markup is not. Undefined and false are left out. */
export type Content = Markup | string | number | undefined | false | readonly Content[]

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Replaces lone surrogates and control characters, which HTML does not allow, even as references. */
const clean = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Noncharacter_Code_Point}]/gu, control =>
      control === '\n' || control === '\t' ? control : '\ufffd',
    )

const escaped = (text: string): string => clean(text).replace(/[&<>"']/g, character => escapes[character] ?? '')

function toHtml(content: Content): string {
  if (content === undefined || content === false) return ''
  if (typeof content === 'string') return escaped(content)
  if (typeof content === 'number') return String(content)
  if (markup in content) return content[markup]
  return content.map(toHtml).join('')
}

/**
 * The one way to make markup. What is filled in stands in the text of an element or in an attribute with double quotes,
 * never in a `style` or `script` element or in a name.
 */
export const html = (strings: TemplateStringsArray, ...contents: readonly Content[]): Markup => ({
  [markup]: strings.map((text, at) => text + toHtml(contents[at])).join(''),
})

export const toText = (content: Markup): string => content[markup]

/** The longest name from the data. */
const mostCharacters = 120

const ellipsis = '…'

/**
 * A text of the data as it is shown: cut where it is long, without characters that HTML cannot hold, and without those
 * that turn the direction of the text around it (unicode.org/reports/tr9, 2.1 to 2.5).
 */
export function shown(text: string, most = mostCharacters): string {
  const whole = clean(
    text
      .slice(0, most * 8)
      .replace(/[\u202a-\u202e\u2066-\u2069]/g, '')
      .replace(/\s+/g, ' '),
  ).trim()
  const characters = [...whole]
  return characters.length > most ? characters.slice(0, most - 1).join('') + ellipsis : whole
}

/** A text of the data. It is isolated, so that one that runs from right to left does not turn what follows. */
export const name = (text: string, most?: number): Markup => html`<bdi dir="auto">${shown(text, most)}</bdi>`
