import { aside, bar, dataTable, font, layout, paragraph, quiet, section, tones } from './email-parts.ts'
import type { ChangeRow, Figures, Group, HistoryRun } from './figures.ts'
import { isMissing } from './figures.ts'
import type { ReportLinks } from './links.ts'
import { type Content, html, type Markup, name, toText } from './markup.ts'
import {
  clock,
  count,
  credentialState,
  day,
  dayAndTime,
  difference,
  duration,
  month,
  nextStepOf,
  noChanges,
  noOrders,
  outcomes,
  plural,
  shortDay,
  statusSentence,
  titleOf,
} from './wording.ts'

/** The mail has fewer rows than the page, because Gmail cuts a mail off at 102 KB. */
const most = { changes: 10, names: 8, months: 12, runs: 10, characters: 60 }

const customer = (
  { customerTenantId, customerName }: { customerTenantId: string; customerName: string },
  links: ReportLinks,
) =>
  html`<a href="${links.orders(customerTenantId)}" style="color:#4f46e5">${name(customerName === '' ? customerTenantId : customerName, most.characters)}</a>`

function attention(figures: Figures, links: ReportLinks): Markup {
  const { run, failures, gone, customers } = figures
  const { needs } = credentialState(figures)
  const issues = [
    ...(run.status === 'failed'
      ? [
          paragraph(
            html`<strong>The snapshot failed.</strong> ${name(run.error?.message ?? 'No reason is known.', 300)}`,
          ),
        ]
      : []),
    ...(needs === undefined ? [] : [paragraph(html`<strong>Credential:</strong> ${name(needs, 300)}`)]),
    ...failures.groups.map(group => {
      const listed = group.customers.slice(0, most.names)
      const left = group.count - listed.length
      return paragraph(
        html`<strong>${titleOf(group)}</strong> (${plural(group.count, 'customer')}): ${listed.map((each, at) => html`${at > 0 && ', '}${customer(each, links)}`)}${left > 0 && ` and ${count(left)} more`}.<br><strong>Next step:</strong> ${nextStepOf(group)}`,
      )
    }),
    ...(gone.length === 0 ? [] : [paragraph(html`<strong>Customers that left:</strong> ${count(customers.gone)}`)]),
  ]
  return section('Who needs attention', issues.length === 0 ? paragraph('Nobody. Every customer was read.') : issues)
}

const kinds = { created: 'New', updated: 'Changed', removed: 'Gone' } as const

const changeRow = (change: ChangeRow, links: ReportLinks): Content[] => [
  kinds[change.kind],
  customer(change, links),
  change.products.length === 0
    ? html`order ${name(change.orderId, 40)}`
    : change.products.map((product, at) => html`${at > 0 && ', '}${name(product, most.characters)}`),
  difference(change.seatsAfter - change.seatsBefore),
]

function changes({ changes: told }: Figures, links: ReportLinks): Markup {
  if (isMissing(told)) return section('What changed', paragraph(noChanges[told.missing]))
  const { created, updated, removed } = told.counts
  const all = created + updated + removed
  if (all === 0) return section('What changed', paragraph('No order has changed since the run before.'))
  const rows = told.largest.slice(0, most.changes)
  return section('What changed', [
    paragraph(
      `${plural(all, 'change')} of ${plural(told.customers, 'customer')}: ${count(created)} new, ${count(updated)} changed, ${count(removed)} gone; ${difference(told.seats)} seats in all.`,
    ),
    dataTable(
      'Changed orders, the largest by seats first',
      [
        { title: 'Change' },
        { title: 'Customer', isName: true },
        { title: 'Products', isName: true },
        { title: 'Seats', isNumber: true },
      ],
      rows.map(change => changeRow(change, links)),
    ),
    all > rows.length && aside(`and ${count(all - rows.length)} more`),
  ])
}

function groups(caption: string, column: string, all: readonly Group[]): Markup {
  const largest = Math.max(1, ...all.map(({ orders }) => orders))
  return dataTable(
    caption,
    [
      { title: column, isName: true },
      { title: 'Chart' },
      { title: 'Orders', isNumber: true },
      { title: 'Lines', isNumber: true },
      { title: 'Seats', isNumber: true },
    ],
    all.map(group => [
      name(group.name, 40),
      bar(group.orders, largest, tones.accent),
      count(group.orders),
      count(group.lines),
      count(group.seats),
    ]),
  )
}

function orders({ lines, run }: Figures): Content {
  if (isMissing(lines))
    return section(
      'Orders',
      paragraph('The order lines of this run cannot be read: a blob of them is missing or damaged.'),
    )
  if (lines.lines === 0) return section('Orders', paragraph(noOrders(run)))
  const months = lines.months.slice(-most.months)
  const largest = Math.max(1, ...months.map(each => each.orders))
  return [
    section('Orders', [
      groups('By status', 'Status', lines.byStatus),
      groups('By billing cycle', 'Billing cycle', lines.byBillingCycle),
      groups('By currency', 'Currency', lines.byCurrency),
    ]),
    section(
      'Orders by month',
      dataTable(
        'Orders placed, and the seats in them as they are now',
        [
          { title: 'Month' },
          { title: 'Chart' },
          { title: 'Orders', isNumber: true },
          { title: 'Seats', isNumber: true },
        ],
        months
          .toReversed()
          .map(each => [
            month(each.month),
            bar(each.orders, largest, tones.accent),
            count(each.orders),
            count(each.seats),
          ]),
      ),
    ),
  ]
}

function history({ history: all }: Figures): Content {
  const runs = all.slice(-most.runs)
  if (runs.length === 0) return undefined
  const longest = Math.max(1, ...runs.map(({ durationMs }) => durationMs))
  const row = ({ startedAt, status, durationMs, failed, changes: found }: HistoryRun): Content[] => [
    html`${shortDay(startedAt)}<br><span style="${quiet}">${outcomes[status].word}</span>`,
    bar(durationMs, longest, tones[status === 'failed' ? 'bad' : 'accent']),
    duration(durationMs),
    count(failed),
    count(found),
  ]
  return section(
    `The last ${plural(runs.length, 'run')}`,
    dataTable(
      'Runs over all customers, the newest first',
      [
        { title: 'Run' },
        { title: 'Chart' },
        { title: 'Duration', isNumber: true },
        { title: 'Failed', isNumber: true },
        { title: 'Changes', isNumber: true },
      ],
      runs.toReversed().map(row),
    ),
  )
}

/** The report as HTML that every mail program shows. Its links have to be absolute. */
export function renderEmail(figures: Figures, links: ReportLinks): string {
  const { run, customers } = figures
  const { startedAt, completeThrough = startedAt } = run
  const { word, tone } = outcomes[run.status]
  const { says } = credentialState(figures)
  const rows = [
    html`<tr><td style="${font}"><p style="margin:0;${quiet}">Partner Center Orders</p><h1 style="margin:2px 0 8px 0;font-size:22px;line-height:28px;color:#1a1d29">Orders of ${dayAndTime(startedAt)}</h1><p style="margin:0;font-size:15px;line-height:22px"><strong style="color:${tones[tone]}">${word}.</strong> ${statusSentence(figures)}</p></td></tr>`,
    section(
      'In figures',
      dataTable(
        'The snapshot in figures',
        [
          { title: 'Customers read' },
          { title: 'Failed', isNumber: true },
          { title: 'Left', isNumber: true },
          { title: 'Orders', isNumber: true },
          { title: 'Seats', isNumber: true },
        ],
        [
          [
            `${count(customers.read)} of ${count(customers.planned)}`,
            count(customers.failed),
            count(customers.gone),
            count(run.orders),
            isMissing(figures.lines) ? '–' : count(figures.lines.seats),
          ],
        ],
      ),
    ),
    attention(figures, links),
    changes(figures, links),
    orders(figures),
    history(figures),
    section('About the data', [
      paragraph(`Orders as of ${dayAndTime(startedAt)}, complete through ${clock(completeThrough)}. ${says ?? ''}`),
      paragraph(
        html`<a href="${links.report(run.snapshotId)}" style="color:#4f46e5">The report as a page</a> · <a href="${links.lines}" style="color:#4f46e5">The order lines (CSV)</a>. The links lead to the API, which asks for a function key.`,
      ),
    ]),
  ]
  return toText(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${word}: orders of ${day(startedAt)}, ${clock(startedAt)}</title>
</head>
<body style="margin:0;padding:12px;background-color:#ffffff">
<div role="main">${html`<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" bgcolor="#ffffff"><tr><td align="center"><table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:640px"><tr><td align="left">${layout(rows)}</td></tr></table></td></tr></table>`}</div>
</body>
</html>
`)
}
