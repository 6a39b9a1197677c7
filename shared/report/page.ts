import { stackedBar, swatch } from './charts.ts'
import type { Figures } from './figures.ts'
import { isMissing } from './figures.ts'
import type { ReportLinks } from './links.ts'
import { html, type Markup, toText } from './markup.ts'
import { monthCharts, runCharts } from './page-charts.ts'
import { attention, changes, orders } from './page-sections.ts'
import { pageStyle } from './page-style.ts'
import { styleSource } from './policy.ts'
import {
  clock,
  count,
  credentialState,
  day,
  dayAndTime,
  duration,
  outcomes,
  plural,
  statusSentence,
  timestampOf,
} from './wording.ts'

const style = pageStyle
  .split('\n')
  .map(line => line.trim())
  .join('\n')

const metaPolicy = `default-src 'none'; style-src ${styleSource(style)}; base-uri 'none'; form-action 'none'`

const tile = (label: string, value: string, more: string): Markup =>
  html`<div><dt>${label}</dt><dd>${value}</dd><dd class="more">${more}</dd></div>`

function tiles({ run, customers, changes, lines }: Figures): Markup {
  const { planned, read, failed, gone } = customers
  const told = isMissing(changes) ? undefined : changes.counts
  const sum = told === undefined ? undefined : told.created + told.updated + told.removed
  const parts = [...(failed > 0 ? [`${count(failed)} failed`] : []), ...(gone > 0 ? [`${count(gone)} left`] : [])]
  return html`<dl class="tiles">
${tile('Customers read', `${count(read)} of ${count(planned)}`, read === 0 ? 'none was read' : parts.length === 0 ? 'none failed' : parts.join(', '))}
${tile('Orders', count(run.orders), isMissing(lines) ? 'lines not known' : plural(lines.lines, 'line'))}
${isMissing(lines) ? undefined : tile('Seats', count(lines.seats), 'sum of the quantities')}
${tile('Changes', sum === undefined ? '–' : count(sum), told === undefined ? 'not compared' : `${count(told.created)} new, ${count(told.updated)} changed, ${count(told.removed)} gone`)}
</dl>`
}

function customersBar({ customers: { planned, read, failed, gone } }: Figures): Markup | undefined {
  if (planned === 0) return undefined
  const parts = [
    { value: read, tone: 'good', label: 'read' },
    { value: failed, tone: 'bad', label: 'failed' },
    { value: gone, tone: 'neutral', label: 'left' },
  ].filter(({ value }) => value > 0)
  const texts = parts.map(({ value, label }) => `${count(value)} ${label}`)
  const legend = parts.map(({ tone }, at) => html`<span>${swatch(tone)}${texts[at]}</span>`)
  return html`<div>${stackedBar(parts, `Of ${plural(planned, 'customer')}: ${texts.join(', ')}`)}<p class="legend" aria-hidden="true">${legend}</p></div>`
}

const comparedWith = ({ changes }: Figures): string =>
  isMissing(changes) && changes.missing !== 'first run' ? 'nothing' : 'no earlier run'

function about(figures: Figures, links: ReportLinks): Markup {
  const { run, before, writtenAt, isPartial } = figures
  const { snapshotId, startedAt, finishedAt = startedAt, completeThrough = startedAt, trigger } = run
  const { says } = credentialState(figures)
  return html`<section class="card" aria-labelledby="about">
<h2 id="about">About the data</h2>
<dl class="facts">
<dt>Orders as of</dt><dd><time datetime="${startedAt}">${dayAndTime(startedAt)}</time></dd>
<dt>Complete through</dt><dd><time datetime="${completeThrough}">${dayAndTime(completeThrough)}</time>. Partner Center may list younger orders later.</dd>
<dt>Read</dt><dd>in ${duration(Date.parse(finishedAt) - Date.parse(startedAt))}, started by ${trigger === 'timer' ? 'the timer' : 'a request'}${isPartial ? ', over some customers' : ''}</dd>
<dt>Compared with</dt><dd>${before === undefined ? comparedWith(figures) : html`<a href="${links.report(before.snapshotId)}">the run of ${dayAndTime(timestampOf(before.snapshotId))}</a>`}</dd>
${says === undefined ? undefined : html`<dt>Credential</dt><dd>${says}</dd>`}
<dt>Snapshot</dt><dd><code>${snapshotId}</code></dd>
<dt>As data</dt><dd>${run.status !== 'failed' && html`<a href="${links.snapshot(snapshotId)}">manifest (JSON)</a>, `}<a href="${links.lines}">order lines of the newest snapshot (CSV)</a></dd>
<dt>This page</dt><dd>written <time datetime="${writtenAt}">${dayAndTime(writtenAt)}</time>. Its links lead to the API, which asks for a function key.</dd>
</dl>
</section>`
}

/** The report as one page that loads nothing else: no script, no font, no image. */
export function renderPage(figures: Figures, links: ReportLinks): string {
  const { run } = figures
  const { word, tone } = outcomes[run.status]
  const head = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${metaPolicy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${word}: orders of ${day(run.startedAt)}, ${clock(run.startedAt)}</title>
<style>`
  const rest = html`</style>
</head>
<body>
<header>
<p class="kicker">Partner Center Orders</p>
<h1>Orders of ${dayAndTime(run.startedAt)}</h1>
<p class="status"><strong class="pill ${tone}">${word}</strong> ${statusSentence(figures)}</p>
<nav aria-label="Sections"><a href="#attention">Attention</a> <a href="#changes">Changes</a> <a href="#orders">Orders</a> ${!isMissing(figures.lines) && figures.lines.lines > 0 && html`<a href="#months">Months</a>`} ${figures.history.length > 0 && html`<a href="#runs">Runs</a>`} <a href="#about">About the data</a></nav>
</header>
<main>
<section class="card" aria-labelledby="figures">
<h2 id="figures">In figures</h2>
${tiles(figures)}
${customersBar(figures)}
</section>
${attention(figures, links)}
${changes(figures, links)}
${orders(figures)}
${monthCharts(figures)}
${runCharts(figures)}
${about(figures, links)}
</main>
</body>
</html>
`
  // HTML does not escape text in a style element. The style is a constant of this app.
  return toText(head) + style + toText(rest)
}
