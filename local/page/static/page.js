import { ask, find, make, useKey } from './elements.js'
import { startRequests } from './requests.js'
import { readState, startSimulation } from './simulation.js'
import { startSnapshot } from './snapshot.js'

async function showHealth() {
  const { status } = await ask('/api/health').catch(() => ({ status: 0 }))
  find('health').textContent = status === 200 ? 'running' : 'not running'
  find('health').className = `pill ${status === 200 ? 'good' : 'bad'}`
}

const state = await readState()
useKey(state.key)
find('services').replaceChildren(
  ...state.services.flatMap(({ name, value }) => [make('dt', {}, name), make('dd', {}, value)]),
)
startSimulation(state)
setInterval(showHealth, 5000)
await Promise.all([showHealth(), startSnapshot(), startRequests(state.customerTenantId)])
document.body.dataset.ready = 'true'
