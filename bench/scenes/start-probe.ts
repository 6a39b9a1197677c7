import { loadApp } from '../../local/host/core.ts'

/**
 * Loads the app of the first argument like the worker, and calls the function of the second for the orders of one
 * customer. Prints the milliseconds since the start of the process, and those of CPU, until the response.
 */
const [entry = '', name = '', customer = ''] = process.argv.slice(2)
const app = await loadApp(entry, () => undefined)
await app.runHooks('appStart')
const answer = await app.invoke(name, {
  http: {
    method: 'GET',
    url: `http://localhost/api/customers/${customer}/orders`,
    headers: {},
    params: { customerTenantId: customer },
    query: {},
  },
})
if (answer?.http?.statusCode !== '200') throw new Error(`${name} answered ${answer?.http?.statusCode}`)
const { user, system } = process.cpuUsage()
console.log(JSON.stringify({ ms: performance.now(), cpuMs: (user + system) / 1000 }))
process.exit(0)
