import { clock, find, make } from './elements.js'
import { refreshCustomers, useCustomer } from './requests.js'

const words = { created: 'new', updated: 'changed', removed: 'gone' }

const post = async (path, body) =>
  show(await (await fetch(path, { method: 'POST', body: JSON.stringify(body) })).json())

let shownCases = ''

function showCases(cases) {
  const text = JSON.stringify(cases)
  if (text === shownCases) return
  shownCases = text
  find('cases').replaceChildren(
    ...cases.map(({ digits, what, id, isListed, stopsSnapshots }) => {
      const box = make('input', { type: 'checkbox', checked: isListed })
      box.onchange = async () => {
        await post('/local/cases', { digits, isListed: box.checked })
        await refreshCustomers()
      }
      const name = make(
        'button',
        { type: 'button', className: 'link', title: id, onclick: () => useCustomer(id, `Example: ${what}`) },
        what,
      )
      return make(
        'li',
        {},
        make('span', {}, name, stopsSnapshots ? make('span', { className: 'quiet' }, ' – ends a snapshot') : ''),
        make(
          'label',
          { className: 'switch' },
          box,
          make('span'),
          make('b', { className: 'hidden' }, `${what}: in the list`),
        ),
      )
    }),
  )
}

function show({ orders, cases }) {
  find('orders-switch').checked = orders.isOn
  find('orders-about').textContent = orders.isOn
    ? `One every ${orders.everySeconds} seconds; ${orders.count} so far. A new snapshot finds them.`
    : `Switched off; ${orders.count} so far.`
  find('orders-newest').replaceChildren(
    ...orders.newest
      .slice(0, 5)
      .map(({ at, kind, companyName, orderId, customerTenantId }) =>
        make(
          'li',
          {},
          make('span', { className: `kind ${kind}` }, words[kind]),
          make(
            'span',
            { title: `${companyName}, order ${orderId}` },
            make(
              'button',
              { type: 'button', className: 'link', onclick: () => useCustomer(customerTenantId, companyName) },
              companyName,
            ),
          ),
          make('time', {}, clock(at)),
        ),
      ),
  )
  showCases(cases)
}

/** The initial state of the page. */
export const readState = async () => (await fetch('/local/state')).json()

export function startSimulation(state) {
  show(state)
  find('orders-switch').onchange = () => post('/local/orders', { isOn: find('orders-switch').checked })
  find('change').onclick = () => post('/local/orders/change', {})
  setInterval(async () => {
    const next = await readState().catch(() => undefined)
    if (next !== undefined) show(next)
  }, 3000)
}
