import { ask, find, keyHeaders, linkTo, make } from './elements.js'

/** The requests to try first. They come before those of the document. */
const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
const first = [
  {
    method: 'GET',
    path: '/api/customers/{customerTenantId}/orders',
    summary: 'All orders of the customer',
    description: 'Read live from Partner Center, in its own shape.',
  },
  {
    method: 'GET',
    path: `/api/customers/{customerTenantId}/orders?asOf=${yesterday}`,
    summary: 'The same, as of yesterday',
    description: 'From yesterday’s snapshot, not from Partner Center. The headers say so.',
  },
  {
    method: 'GET',
    path: '/api/customers/{customerTenantId}/order-lines?format=csv',
    summary: 'Order lines for Excel (CSV)',
    description: 'One row per order line. “Open in a tab” saves it as a file.',
  },
  {
    method: 'GET',
    path: '/api/order-lines?format=csv',
    summary: 'Order lines of all customers (CSV)',
    description: 'From the newest snapshot, one row per order line.',
  },
]
const last = [
  { method: 'GET', path: '/api/health', summary: 'Health', description: 'Says that the app is alive. Needs no key.' },
  {
    method: 'GET',
    path: '/api/openapi.json',
    summary: 'OpenAPI document',
    description: 'What the connector is made from. Needs no key.',
  },
]

/** The response headers that are shown. */
const telling = ['x-orders-source', 'x-orders-as-of', 'x-orders-prices', 'retry-after', 'location', 'x-correlation-id']

/** A larger response is cut, so that it does not stop the browser. */
const mostShown = 60_000

let picked = first[0]
let customerTenantId = ''
let customers = []
let newestSnapshot = ''

/** @param {string} id */
export const setSnapshot = id => {
  newestSnapshot = id
}

/** The path with the selected customer, one of its orders and the newest snapshot. */
async function fill(path) {
  let filled = path
    .replaceAll('{customerTenantId}', customerTenantId)
    .replaceAll('{snapshotId}', newestSnapshot || 'latest')
  if (filled.includes('{orderId}')) {
    const { body } = await ask(`/api/customers/${customerTenantId}/orders`)
    filled = filled.replaceAll('{orderId}', encodeURIComponent(body?.items?.[0]?.id ?? 'no-order'))
  }
  return filled
}

async function pick(operation) {
  picked = operation
  for (const button of find('operations').querySelectorAll('button')) {
    button.setAttribute('aria-current', String(button.operation === operation))
  }
  const path = await fill(operation.path)
  if (picked !== operation) return
  find('about').textContent = operation.description ?? ''
  find('method').textContent = operation.method
  find('method').className = `method ${operation.method.toLowerCase()}`
  find('body').hidden = operation.method !== 'POST'
  find('body').value = operation.method === 'POST' ? '{}' : ''
  find('open').hidden = operation.method === 'POST'
  setPath(path)
  find('answer').replaceChildren()
}

function setPath(path) {
  find('path').value = path
  find('open').href = linkTo(path)
  find('follow').hidden = true
}

const curl = () => {
  const url = new URL(find('path').value, location.href).href
  const { 'x-functions-key': key } = keyHeaders()
  const header = key === undefined ? '' : ` -H "x-functions-key: ${key}"`
  // Double quotes work in every shell.
  if (picked.method !== 'POST') return `curl${header} "${url}"`
  return `curl${header} -X POST -H "content-type: application/json" -d "${find('body').value.replaceAll('"', '\\"')}" "${url}"`
}

async function send() {
  const startedAt = performance.now()
  const { method } = picked
  find('answer').setAttribute('aria-busy', 'true')
  try {
    const response = await fetch(find('path').value, {
      method,
      headers: { ...keyHeaders(), ...(method === 'POST' ? { 'content-type': 'application/json' } : {}) },
      ...(method === 'POST' && find('body').value.trim() !== '' ? { body: find('body').value } : {}),
    })
    const text = await response.text()
    show(response, text, performance.now() - startedAt)
  } catch (error) {
    find('answer').replaceChildren(
      make('div', { className: 'answer-head' }, make('span', { className: 'pill bad' }, 'no response'), String(error)),
    )
  }
  find('answer').removeAttribute('aria-busy')
}

function show(response, text, ms) {
  const kind = response.status < 300 ? 'good' : response.status < 500 && response.status !== 424 ? 'warn' : 'bad'
  const told = telling.flatMap(name => {
    const value = response.headers.get(name)
    return value === null ? [] : [make('span', {}, `${name}: ${value}`)]
  })
  const isJson = response.headers.get('content-type')?.includes('json')
  const json = isJson ? JSON.parse(text) : undefined
  const pre = make('pre', { tabIndex: 0 })
  if (isJson) colour(pre, JSON.stringify(json, null, 2).slice(0, mostShown))
  else pre.textContent = text.slice(0, mostShown)
  find('answer').replaceChildren(
    make(
      'div',
      { className: 'answer-head' },
      make('span', { className: `pill ${kind}` }, String(response.status)),
      make('span', {}, `${Math.round(ms)} ms`),
      ...told,
    ),
    ...(text === '' ? [] : [pre]),
  )
  offerNext(json, response.headers.get('location'))
}

/** Offers the next request: the next page, the changes since then, or the status of a snapshot. */
function offerNext(json, location_) {
  const url = new URL(find('path').value, location.href)
  let next = json?.nextLink ?? location_
  let label = json?.nextLink ? 'Next page' : 'Ask how far it is'
  if (typeof json?.cursor === 'string') {
    url.searchParams.set('cursor', json.cursor)
    next = url.href
    label = 'What has changed since'
  }
  if (!next) return
  const { pathname, search } = new URL(next, location.href)
  const button = find('follow')
  button.hidden = false
  button.textContent = label
  button.onclick = () => {
    if (picked.method === 'POST') pick({ ...picked, method: 'GET', path: pathname + search }).then(send)
    else {
      setPath(pathname + search)
      send()
    }
  }
}

const token = /("(?:\\.|[^"\\])*")(\s*:)?|(-?\d[\d.eE+-]*|\btrue\b|\bfalse\b)/g

/** Colours JSON. Its content stays text. */
function colour(pre, text) {
  let at = 0
  for (const match of text.matchAll(token)) {
    pre.append(text.slice(at, match.index))
    const [whole, string, colon, number] = match
    const className = colon !== undefined ? 'key' : string !== undefined ? 'string' : 'number'
    pre.append(make('span', { className }, string ?? number ?? ''), colon ?? '')
    at = match.index + whole.length
  }
  pre.append(text.slice(at))
}

/** True for an operation that the page can send and does not list already. */
const isShown = ({ method, path }) =>
  (method === 'GET' || method === 'POST') && !first.some(known => known.method === method && known.path === path)

async function loadCustomers() {
  const { body } = await ask('/api/customers?top=1000')
  customers = body?.value ?? []
  const select = find('customer')
  select.replaceChildren(
    ...customers.map(({ customerTenantId: value, companyName, domain }) =>
      make('option', { value }, `${companyName} – ${domain}`),
    ),
  )
  select.value = customerTenantId
}

async function loadOperations() {
  const { body } = await ask('/api/openapi.json')
  const described = Object.entries(body?.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary, description }]) => ({
      method: method.toUpperCase(),
      path,
      summary,
      description,
    })),
  )
  const all = [...first, ...described.filter(isShown), ...last]
  find('operations').replaceChildren(
    ...all.map(operation => {
      const button = make(
        'button',
        { type: 'button', operation, onclick: () => pick(operation) },
        make('span', { className: `method ${operation.method.toLowerCase()}` }, operation.method),
        make('span', {}, operation.summary),
      )
      return make('li', {}, button)
    }),
  )
}

/**
 * Selects a customer by its id, even if it is not in the list.
 * @param {string} id
 * @param {string} name
 */
export async function useCustomer(id, name) {
  customerTenantId = id
  if (!customers.some(customer => customer.customerTenantId === id))
    find('customer').prepend(make('option', { value: id }, name))
  find('customer').value = id
  await pick(first[0])
  find('try-title').scrollIntoView({ behavior: 'smooth', block: 'nearest' })
  await send()
}

/** Reads the list again after a customer was added or removed. */
export const refreshCustomers = loadCustomers

/** @param {string} firstCustomer */
export async function startRequests(firstCustomer) {
  customerTenantId = firstCustomer
  find('customer').onchange = () => {
    customerTenantId = find('customer').value
    pick(picked)
  }
  find('path').oninput = () => {
    find('open').href = linkTo(find('path').value)
  }
  find('request').onsubmit = event => {
    event.preventDefault()
    send()
  }
  find('copy').onclick = async () => {
    await navigator.clipboard.writeText(curl())
    find('copy').textContent = 'Copied'
    setTimeout(() => {
      find('copy').textContent = 'Copy as curl'
    }, 1500)
  }
  await Promise.all([loadCustomers(), loadOperations()])
  await pick(first[0])
  await send()
}
