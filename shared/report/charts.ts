import { scaleBand, scaleLinear } from 'd3-scale'
import { html, type Markup } from './markup.ts'

export type Bar = {
  /** The label below the axis. */
  label: string
  value: number
  /** The value as text, for screen readers and tooltips. */
  text: string
  tone?: 'accent' | 'good' | 'warn' | 'bad'
}

export type BarChart = {
  title: string
  /** The text equivalent. A table has all figures. */
  summary: string
  bars: readonly Bar[]
  /** Formats a value of the axis. */
  tick: (value: number) => string
  /** The number of bars from one label to the next, from the newest bar backward. */
  labelEvery: number
}

const height = 132
const top = 14
const bottom = 20
const axisWidth = 52

/** The width of a bar is limited if there are few bars. */
const fewestSlots = 12

const share = (value: number): string => `${Math.round(value * 100) / 100}%`
const pixel = (value: number): number => Math.round(value * 10) / 10

/**
 * Bars as inline SVG. Positions across are shares of the width, so that text keeps its size on every screen. Colors are
 * classes of the page, for light, dark and paper.
 */
export function barChart({ title, summary, bars, tick, labelEvery }: BarChart): Markup {
  const slots = Array.from({ length: Math.max(bars.length, fewestSlots) }, (_, slot) => slot)
  const x = scaleBand(slots, [0, 100]).paddingInner(0.28).paddingOuter(0.1)
  const y = scaleLinear([0, Math.max(1, ...bars.map(({ value }) => value))], [height - bottom, top]).nice(3)
  const ticks = y.ticks(3).filter(Number.isInteger)
  const width = x.bandwidth()
  const left = (slot: number): number => x(slot) ?? 0
  const columns = bars.map(({ value, text, label, tone = 'accent' }, slot) => {
    // Small values stay visible.
    const tall = value > 0 ? Math.max(1.5, height - bottom - y(value)) : 0
    return html`<rect class="${tone}" x="${share(left(slot))}" y="${pixel(height - bottom - tall)}" width="${share(width)}" height="${pixel(tall)}"><title>${label}: ${text}</title></rect>`
  })
  const labels = bars.flatMap(({ label }, slot) => {
    const back = bars.length - 1 - slot
    if (back % labelEvery !== 0) return []
    const [at, anchor] =
      back === 0 && slot > 8
        ? [left(slot) + width, 'end']
        : slot < 2
          ? [left(slot), 'start']
          : [left(slot) + width / 2, 'middle']
    return [html`<text x="${share(at)}" y="${height - 5}" text-anchor="${anchor}">${label}</text>`]
  })
  return html`<div class="chart" role="img" aria-label="${title}. ${summary}">
<p class="title" aria-hidden="true">${title}</p>
<div class="plot" aria-hidden="true"><svg class="axis" width="${axisWidth}" height="${height}">${ticks.map(
    value => html`<text x="${axisWidth - 8}" y="${pixel(y(value) + 4)}" text-anchor="end">${tick(value)}</text>`,
  )}</svg><svg width="100%" height="${height}">${ticks.map(
    value => html`<line class="grid" x1="0" x2="100%" y1="${pixel(y(value))}" y2="${pixel(y(value))}"/>`,
  )}${columns}${labels}</svg></div>
</div>`
}

/** A bar in a table row, next to its figure. */
export const rowBar = (value: number, largest: number): Markup => {
  const x = scaleLinear([0, Math.max(1, largest)], [0, 100])
  return html`<svg class="row-bar" width="100%" height="8" aria-hidden="true"><rect class="track" width="100%" height="8" rx="4"/><rect class="accent" width="${share(x(value))}" height="8" rx="4"/></svg>`
}

/** One bar with the parts of a whole. */
export function stackedBar(parts: readonly { value: number; tone: string }[], summary: string): Markup {
  const whole = parts.reduce((sum, { value }) => sum + value, 0)
  const x = scaleLinear([0, Math.max(1, whole)], [0, 100])
  let before = 0
  const pieces = parts.map(({ value, tone }) => {
    const at = before
    before += value
    return html`<rect class="${tone}" x="${share(x(at))}" width="${share(x(value))}" height="12"/>`
  })
  return html`<svg class="stack" width="100%" height="12" role="img" aria-label="${summary}"><rect class="track" width="100%" height="12"/>${pieces}</svg>`
}

/** The color of a part in a legend. */
export const swatch = (tone: string): Markup =>
  html`<svg width="10" height="10" aria-hidden="true"><rect class="${tone}" width="10" height="10" rx="3"/></svg>`
