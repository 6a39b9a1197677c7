import { ask, clock, find, keyHeaders, linkTo, make, own, size } from './elements.js'
import { setSnapshot } from './requests.js'

const kinds = { succeeded: 'good', completedWithErrors: 'warn', failed: 'bad', running: '' }
const words = {
  succeeded: 'complete',
  completedWithErrors: 'some customers failed',
  failed: 'failed',
  running: 'running',
}

let shown = ''

const figure = (value, label) => make('div', {}, make('b', {}, String(value)), make('span', {}, label))

/** Paths without their common prefix. */
const short = name =>
  name.replace(/^(snapshots)\/date=[^/]+\/run=[^/]+\//, '').replace(/\/date=[^/]+\/run=[^/]+\//, '/')

const links = files =>
  files.map(({ name, bytes }) =>
    make(
      'li',
      {},
      make(
        'a',
        { href: `/local/files/${encodeURI(name)}`, target: '_blank', rel: 'noopener', title: name },
        short(name),
      ),
      make('span', {}, size(bytes)),
    ),
  )

/** The report of the snapshot, as the app serves it. */
const report = ({ snapshotId }) =>
  make(
    'p',
    {},
    make(
      'a',
      {
        className: 'button report',
        href: linkTo(`/api/snapshots/${snapshotId}/report`),
        target: '_blank',
        rel: 'noopener',
      },
      'Open the report',
    ),
  )

const listFiles = async prefix => (await (await fetch(`/local/files?prefix=${prefix}`)).json()) ?? []

async function details(snapshot) {
  const { body } = await ask(`/api/snapshots/${snapshot.snapshotId}`)
  const failures = body?.failures ?? []
  const run = `date=${new Date(snapshot.startedAt).toISOString().slice(0, 10)}/run=${snapshot.snapshotId}/`
  const files = await Promise.all(['snapshots', 'changes', 'lines'].map(folder => listFiles(`${folder}/${run}`)))
  const items = failures
    .slice(0, 5)
    .map(({ customerName, customerTenantId, message }) =>
      make('li', {}, make('b', {}, customerName ?? customerTenantId), ` – ${message}`),
    )
  return [
    ...(items.length === 0 ? [] : [make('ul', { className: 'failures' }, ...items)]),
    make('ul', { className: 'files' }, ...links(files.flat())),
  ]
}

async function refresh() {
  const { body } = await ask('/api/snapshots?top=1')
  const snapshot = body?.value?.[0]
  if (snapshot === undefined) {
    find('snapshot').replaceChildren(make('p', { className: 'quiet' }, 'There is none yet.'))
    return undefined
  }
  const isRunning = snapshot.status === 'running'
  find('take').disabled = isRunning
  if (!isRunning) setSnapshot(snapshot.snapshotId)
  const state = JSON.stringify(snapshot)
  if (state === shown) return snapshot
  const { planned, read, failed } = snapshot.customers
  const { created = 0, updated = 0, removed = 0 } = snapshot.changes ?? {}
  const parts = [
    make(
      'p',
      {},
      make('span', { className: `pill ${kinds[snapshot.status] ?? ''}` }, words[snapshot.status] ?? snapshot.status),
      make(
        'span',
        { className: 'quiet' },
        `  ${new Date(snapshot.startedAt).toLocaleDateString()} ${clock(snapshot.startedAt)}`,
      ),
    ),
    isRunning
      ? make('progress', { max: Math.max(planned, 1), value: read + failed, ariaLabel: 'Customers read' })
      : make(
          'div',
          { className: 'figures' },
          figure(`${read}/${planned}`, 'customers'),
          figure(snapshot.orders, 'orders'),
          figure(created + updated + removed, `${created} new, ${updated} changed, ${removed} gone`),
        ),
    ...(isRunning ? [] : [report(snapshot), ...(await details(snapshot))]),
  ]
  find('snapshot').replaceChildren(...parts)
  shown = state
  return snapshot
}

async function take() {
  find('take').disabled = true
  await fetch('/api/snapshots', { method: 'POST', headers: { ...own, ...keyHeaders() } })
  await watch()
}

/** Reads the status repeatedly, more often while a snapshot runs. */
export async function watch() {
  for (;;) {
    const snapshot = await refresh().catch(() => undefined)
    if (snapshot?.status !== 'running') return
    await new Promise(resolve => setTimeout(resolve, 300))
  }
}

export function startSnapshot() {
  find('take').onclick = take
  setInterval(watch, 5000)
  return watch()
}
