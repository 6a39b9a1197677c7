import { type Content, html, type Markup } from './markup.ts'

/**
 * The report as a mail. Outlook for Windows renders with Word: tables, attributes and inline styles, but no style
 * sheet, no SVG and no rounded corners
 * (learn.microsoft.com/previous-versions/office/developer/office-2007/aa338201(v=office.12)). A bar is a coloured cell.
 */

export const font = 'font-family:Segoe UI,Arial,sans-serif;font-size:14px;line-height:20px;color:#1a1d29'
export const quiet = 'font-size:13px;color:#5b6275'
const cell = 'padding:4px 8px 4px 0;border-bottom:1px solid #e2e5ee'
export const tones = { good: '#0a7a4b', warn: '#9a5b00', bad: '#b3261e', accent: '#4f46e5' } as const

export const layout = (rows: Content): Markup =>
  html`<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">${rows}</table>`

export const section = (title: string, body: Content): Markup =>
  html`<tr><td style="padding:18px 0 0 0;${font}"><h2 style="margin:0 0 6px 0;font-size:17px;line-height:22px;color:#1a1d29">${title}</h2>${body}</td></tr>`

export const paragraph = (text: Content): Markup => html`<p style="margin:0 0 8px 0;word-break:break-word">${text}</p>`
export const aside = (text: Content): Markup => html`<p style="margin:4px 0 8px 0;${quiet}">${text}</p>`

/** Length of the longest bar in pixels. A row of figures still fits on a phone. */
const barWidth = 48

/** One coloured cell. Its width shows the value. */
export function bar(value: number, largest: number, colour: string): Markup {
  const width = value > 0 ? Math.max(1, Math.round((value / Math.max(1, largest)) * barWidth)) : 0
  return width === 0
    ? html`&nbsp;`
    : html`<table role="presentation" cellpadding="0" cellspacing="0" border="0"><tr><td width="${width}" height="10" bgcolor="${colour}" style="width:${width}px;min-width:${width}px;height:10px;font-size:1px;line-height:10px">&nbsp;</td></tr></table>`
}

/** Long names can wrap. Other words cannot. */
type Column = { title: string; isNumber?: boolean; isName?: boolean }

export function dataTable(caption: string, columns: readonly Column[], rows: readonly (readonly Content[])[]): Markup {
  const align = (at: number) => (columns[at]?.isNumber === true ? 'right' : 'left')
  const breaks = (at: number) => columns[at]?.isName === true && ';word-break:break-word'
  const head = columns.map(
    ({ title }, at) =>
      html`<th scope="col" align="${align(at)}" style="${cell};${quiet};font-weight:normal;text-align:${align(at)}">${title}</th>`,
  )
  const body = rows.map(
    contents =>
      html`<tr>${contents.map((content, at) => html`<td align="${align(at)}" valign="middle" style="${cell};${font};text-align:${align(at)}${breaks(at)}">${content}</td>`)}</tr>`,
  )
  return html`<table width="100%" cellpadding="0" cellspacing="0" border="0" style="border-collapse:collapse;margin-bottom:10px"><caption align="left" style="text-align:left;${quiet}">${caption}</caption><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`
}
