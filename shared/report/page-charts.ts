import { type Bar, barChart } from './charts.ts'
import type { Figures, HistoryRun, Month } from './figures.ts'
import { isMissing } from './figures.ts'
import { html, type Markup } from './markup.ts'
import { count, dayAndTime, duration, month, outcomes, plural, shortDay } from './wording.ts'

const range = (values: readonly number[], text: (value: number) => string): string =>
  `Between ${text(Math.min(...values))} and ${text(Math.max(...values))}; the newest ${text(values.at(-1) ?? 0)}. The table of figures has all of them.`

const monthBars = (months: readonly Month[], what: 'orders' | 'seats'): Bar[] =>
  months.map(each => ({ label: month(each.month), value: each[what], text: plural(each[what], what.slice(0, -1)) }))

/** Charts of the orders by month. */
export function monthCharts({ lines }: Figures): Markup | undefined {
  if (isMissing(lines) || lines.lines === 0) return undefined
  const { months, earlier, undated } = lines
  const chart = (title: string, what: 'orders' | 'seats') =>
    barChart({
      title,
      summary: range(
        months.map(each => each[what]),
        count,
      ),
      bars: monthBars(months, what),
      tick: count,
      labelEvery: 8,
    })
  const rows = months
    .toReversed()
    .map(
      each =>
        html`<tr><th scope="row">${month(each.month)}</th><td class="number">${count(each.orders)}</td><td class="number">${count(each.seats)}</td></tr>`,
    )
  return html`<section class="card half" aria-labelledby="months">
<h2 id="months">Orders by month</h2>
${chart('Orders placed', 'orders')}
${chart('Seats in them, as they are now', 'seats')}
<p class="more">Before that: ${plural(earlier.orders, 'order')} with ${plural(earlier.seats, 'seat')}.${undated > 0 && ` ${plural(undated, 'order')} without a date.`}</p>
<details><summary>Table of figures</summary>
<table><caption>Orders and seats by month</caption>
<thead><tr><th scope="col">Month</th><th scope="col" class="number">Orders</th><th scope="col" class="number">Seats</th></tr></thead>
<tbody>${rows}</tbody></table></details>
</section>`
}

const minuteMs = 60_000
/** Up to this length, runs are shown in seconds. */
const secondsUpToMs = 3 * minuteMs

function runRow({ startedAt, status, durationMs, failed, changes }: HistoryRun): Markup {
  return html`<tr><th scope="row">${dayAndTime(startedAt)}</th><td>${outcomes[status].word}</td><td class="number">${duration(durationMs)}</td><td class="number">${count(failed)}</td><td class="number">${count(changes)}</td></tr>`
}

/** Charts of the runs over all customers up to this one. */
export function runCharts({ history }: Figures): Markup | undefined {
  if (history.length === 0) return undefined
  const unit =
    Math.max(...history.map(({ durationMs }) => durationMs)) <= secondsUpToMs
      ? { ms: 1000, name: 's' }
      : { ms: minuteMs, name: 'min' }
  const bars = (numberOf: (run: HistoryRun) => number, textOf: (run: HistoryRun) => string, tone: Bar['tone']): Bar[] =>
    history.map(run => ({
      label: shortDay(run.startedAt),
      value: numberOf(run),
      text: run.status === 'failed' ? `${textOf(run)}, failed` : textOf(run),
      ...(tone === undefined ? {} : { tone: run.status === 'failed' ? 'bad' : tone }),
    }))
  const labelEvery = 8
  return html`<section class="card half" aria-labelledby="runs">
<h2 id="runs">${history.length === 1 ? 'This run' : `The last ${count(history.length)} runs`}</h2>
${barChart({
  title: 'Duration',
  summary: range(
    history.map(({ durationMs }) => durationMs),
    duration,
  ),
  bars: bars(
    run => run.durationMs / unit.ms,
    run => duration(run.durationMs),
    'accent',
  ),
  tick: value => `${value} ${unit.name}`,
  labelEvery,
})}
${barChart({
  title: 'Customers that failed',
  summary: range(
    history.map(({ failed }) => failed),
    count,
  ),
  bars: bars(
    run => run.failed,
    run => plural(run.failed, 'customer'),
    'warn',
  ),
  tick: count,
  labelEvery,
})}
${barChart({
  title: 'Changes found',
  summary: range(
    history.map(({ changes }) => changes),
    count,
  ),
  bars: bars(
    run => run.changes,
    run => plural(run.changes, 'change'),
    'accent',
  ),
  tick: count,
  labelEvery,
})}
<details><summary>Table of figures</summary>
<table><caption>Runs over all customers, the newest first</caption>
<thead><tr><th scope="col">Started</th><th scope="col">Outcome</th><th scope="col" class="number">Duration</th><th scope="col" class="number">Failed</th><th scope="col" class="number">Changes</th></tr></thead>
<tbody>${history.toReversed().map(runRow)}</tbody></table></details>
</section>`
}
