import { rowBar } from './charts.ts'
import type { ChangeRow, CurrencyGroup, CustomerName, FailureGroup, Figures, Group } from './figures.ts'
import { isMissing } from './figures.ts'
import type { ReportLinks } from './links.ts'
import { type Content, html, type Markup, name } from './markup.ts'
import {
  amount,
  count,
  credentialState,
  day,
  difference,
  nextStepOf,
  noChanges,
  noOrders,
  plural,
  timestampOf,
  titleOf,
} from './wording.ts'

const customerLink = ({ customerTenantId, customerName }: CustomerName, links: ReportLinks): Markup =>
  html`<a href="${links.orders(customerTenantId)}">${name(customerName === '' ? customerTenantId : customerName)}</a>`

/** Long lists of names have two columns. */
const list = (items: readonly Markup[]): Markup => html`<ul class="names${items.length > 4 && ' many'}">${items}</ul>`

const more = (left: number, what: Content): Markup | undefined =>
  left > 0 ? html`<p class="more">and ${count(left)} more${what}</p>` : undefined

function failureGroup(group: FailureGroup, links: ReportLinks, all: Content): Markup {
  const { customers } = group
  const usual = customers[0]?.message ?? ''
  const items = customers.map(customer => {
    const { message, lastRead } = customer
    const when = lastRead === undefined ? 'not read before' : `last read on ${day(timestampOf(lastRead))}`
    return html`<li>${customerLink(customer, links)} <span class="quiet">${when}</span>${message === usual ? undefined : html` ${name(message, 300)}`}</li>`
  })
  return html`<article class="issue">
<h3>${titleOf(group)} <span class="quiet">(${plural(group.count, 'customer')})</span></h3>
<p><strong>Next step:</strong> ${nextStepOf(group)}</p>
${items.length > 0 && html`<p class="quiet">${name(usual, 300)}</p>${list(items)}`}
${more(group.count - customers.length, all)}
</article>`
}

export function attention(figures: Figures, links: ReportLinks): Markup {
  const { run, failures, gone, customers } = figures
  // A run that failed has no manifest. The API responds with the failure instead.
  const all =
    run.status !== 'failed' && html`. The <a href="${links.snapshot(run.snapshotId)}">manifest</a> lists up to 1,000.`
  const grouped = failures.groups.reduce((sum, group) => sum + group.count, 0)
  const { needs } = credentialState(figures)
  const issues = [
    ...(run.status === 'failed'
      ? [
          html`<article class="issue"><h3>The snapshot failed</h3><p>${name(run.error?.message ?? 'No reason is known.', 300)}</p><p><strong>Next step:</strong> Fix the cause, then take a new snapshot with start-snapshot. Until then, the app answers from the last good one.</p></article>`,
        ]
      : []),
    ...(needs === undefined
      ? []
      : [html`<article class="issue"><h3>Credential</h3><p>${name(needs, 300)}</p></article>`]),
    ...failures.groups.map(group => failureGroup(group, links, all)),
    ...(gone.length === 0
      ? []
      : [
          html`<article class="issue calm"><h3>Customers that left <span class="quiet">(${plural(customers.gone, 'customer')})</span></h3><p>They are no longer customers of the partner. Their orders are told as removed, once.</p>${list(gone.map(customer => html`<li>${name(customer.customerName === '' ? customer.customerTenantId : customer.customerName)}</li>`))}${more(customers.gone - gone.length, '')}</article>`,
        ]),
  ]
  return html`<section class="card" aria-labelledby="attention">
<h2 id="attention">Who needs attention</h2>
${issues.length === 0 ? html`<p>Nobody. Every customer was read.</p>` : html`<div class="issues">${issues}</div>`}
${failures.total > grouped && html`<p class="more">The reasons are those of the first ${count(grouped)} of ${plural(failures.total, 'customer')} that failed.</p>`}
</section>`
}

const kinds = { created: 'New', updated: 'Changed', removed: 'Gone' } as const

function seatsOf({ kind, seatsBefore, seatsAfter }: ChangeRow): Content {
  if (kind === 'updated' && seatsBefore === seatsAfter) return '±0'
  return kind === 'updated'
    ? html`${difference(seatsAfter - seatsBefore)} <span class="quiet">(${count(seatsBefore)} → ${count(seatsAfter)})</span>`
    : difference(seatsAfter - seatsBefore)
}

function changeRow(change: ChangeRow, links: ReportLinks): Markup {
  const { kind, products, changedMembers, seatsBefore, seatsAfter, orderId } = change
  const what = products.map((product, at) => html`${at > 0 && ', '}${name(product, 80)}`)
  const members =
    kind === 'updated' && seatsBefore === seatsAfter && changedMembers.length > 0
      ? html`<br><span class="quiet">changed: ${changedMembers.map((member, at) => html`${at > 0 && ', '}${name(member, 40)}`)}</span>`
      : undefined
  return html`<tr><td><span class="kind ${kind}">${kinds[kind]}</span></td><th scope="row">${customerLink(change, links)}</th><td>${products.length === 0 ? html`<span class="quiet">order ${name(orderId, 40)}</span>` : what}${members}</td><td class="number">${seatsOf(change)}</td></tr>`
}

export function changes({ changes: told, before }: Figures, links: ReportLinks): Markup {
  const body = (): Content => {
    if (isMissing(told)) return html`<p>${noChanges[told.missing]}</p>`
    const { created, updated, removed } = told.counts
    const all = created + updated + removed
    const since =
      before === undefined
        ? 'the run before'
        : html`<a href="${links.report(before.snapshotId)}">the run of ${day(timestampOf(before.snapshotId))}</a>`
    if (all === 0) return html`<p>No order has changed since ${since}.</p>`
    return html`<p>${plural(all, 'change')} of ${plural(told.customers, 'customer')} since ${since}: ${count(created)} new, ${count(updated)} changed, ${count(removed)} gone; ${difference(told.seats)} seats in all.</p>
<table class="wide">
<caption>Changed orders, the largest by seats first</caption>
<thead><tr><th scope="col">Change</th><th scope="col">Customer</th><th scope="col">Products</th><th scope="col" class="number">Seats</th></tr></thead>
<tbody>${told.largest.map(change => changeRow(change, links))}</tbody>
</table>
${more(all - told.largest.length, '')}`
  }
  return html`<section class="card" aria-labelledby="changes">
<h2 id="changes">What changed</h2>
${body()}
</section>`
}

function groupTable(
  caption: string,
  column: string,
  groups: readonly (Group | CurrencyGroup)[],
  withValue = false,
): Markup {
  const largest = Math.max(1, ...groups.map(({ orders }) => orders))
  const valueIn = (group: Group | CurrencyGroup): Content =>
    'value' in group && group.priced > 0
      ? html`${amount(group.value)}${group.priced < group.orders && html`<br><span class="quiet">of ${plural(group.priced, 'order')}</span>`}`
      : html`<span class="quiet">not known</span>`
  return html`<table>
<caption>${caption}</caption>
<thead><tr><th scope="col">${column}</th><th scope="col" class="number">Orders</th><th scope="col" class="number">Lines</th><th scope="col" class="number">Seats</th>${withValue && html`<th scope="col" class="number">Value</th>`}</tr></thead>
<tbody>${groups.map(
    group =>
      html`<tr><th scope="row">${name(group.name, 40)}${rowBar(group.orders, largest)}</th><td class="number">${count(group.orders)}</td><td class="number">${count(group.lines)}</td><td class="number">${count(group.seats)}</td>${withValue && html`<td class="number">${valueIn(group)}</td>`}</tr>`,
  )}</tbody>
</table>`
}

export function orders({ lines, run }: Figures): Markup {
  const body = (): Content => {
    if (isMissing(lines))
      return html`<p>The order lines of this run cannot be read: a blob of them is missing or damaged.</p>`
    if (lines.lines === 0) return html`<p>${noOrders(run)}</p>`
    const bare = run.orders - lines.orders
    const isPriced = lines.byCurrency.some(({ priced }) => priced > 0)
    return html`<div class="columns">
${groupTable('By status', 'Status', lines.byStatus)}
${groupTable('By billing cycle', 'Billing cycle', lines.byBillingCycle)}
${groupTable('By currency', 'Currency', lines.byCurrency, isPriced)}
</div>
${bare > 0 && html`<p class="more">${plural(bare, 'order')} without a line ${bare === 1 ? 'is' : 'are'} not counted here.</p>`}
${!isPriced && html`<p class="more">No order of this run has a price: Partner Center adds prices only on request.</p>`}`
  }
  return html`<section class="card" aria-labelledby="orders">
<h2 id="orders">Orders</h2>
${body()}
</section>`
}
