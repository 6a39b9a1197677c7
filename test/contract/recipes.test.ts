import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { refuse } from '../../local/simulator/failure-cases.ts'
import { type SimulatedCustomer, sampleOrder } from '../../local/simulator/sample-data.ts'
import { connectorOf } from '../support/connections.ts'
import { createTrigger, runAction } from '../support/maker.ts'
import { type Call, readRecipe, recorder } from '../support/recipes.ts'
import { type RunningApp, startApp } from '../support/running-app.ts'
import { type Connectors, type Run, runWorkflow } from '../support/workflow-run.ts'

const key = 'a-key-of-the-connection'
let app: RunningApp

beforeAll(async () => {
  app = await startApp({
    simulator: { customers: 5, ordersEach: 3 },
    settings: { LOCAL_FUNCTION_KEY: key, PARTNER_CENTER_REQUESTS_PER_MINUTE: '60000', REQUEST_DEADLINE_SECONDS: '3' },
  })
})
afterAll(() => app.stop())
beforeEach(() => app.simulator.partnerCenter.faults.clear())

const orders = () => ({ shared_partnercenterorders: connectorOf({ url: app.url, key }) })
const customerAt = (at: number): SimulatedCustomer => {
  const customer = app.simulator.partnerCenter.customers[at]
  if (customer === undefined) throw new Error('The sample data is too small')
  return customer
}
const snapshot = () => runAction({ url: `${app.api}/snapshots`, method: 'POST', key, secondMs: 20 })

describe('the recipe for Teams', () => {
  test('the recipe for Teams posts each new order once, with its customer, lines and price', async () => {
    const poll = createTrigger({ url: `${app.api}/order-changes?kind=created`, key, secondMs: 20 })
    await poll()
    await snapshot()
    await poll()
    customerAt(1).orders.push(sampleOrder(customerAt(1).id, 501))
    await snapshot()
    const teams = recorder()
    const items = await poll()
    for (const trigger of items) {
      const { actions } = readRecipe('new-order-to-teams')
      const connectors = { ...orders(), shared_teams: teams.connector }
      const parameters = { teamId: 'a-team', channelId: 'a-channel' }
      expect(await runWorkflow({ actions, connectors, parameters, trigger })).toEqual({ status: 'Succeeded' })
    }

    expect(items).toHaveLength(1)
    const [message, ...more] = teams.calls
    expect(more).toEqual([])
    expect(message).toMatchObject({ operationId: 'PostMessageToConversation', 'body/recipient/groupId': 'a-team' })
    const text = String(message?.['body/messageBody'])
    expect(text).toContain(String(items[0]?.customerName))
    expect(text).toContain(String(items[0]?.orderId))
    expect(text).toMatch(/<ul><li>\d+ x .+<\/li><\/ul>/)
    expect(text).toMatch(/\d+(\.\d+)? [A-Z]{3}</)
  })

  test('the recipe for Teams posts an order without its details if they cannot be read', async () => {
    const { actions } = readRecipe('new-order-to-teams')
    const teams = recorder()
    app.simulator.partnerCenter.faults.set(customerAt(2).id, refuse(403, '20002', 'No relationship.'))
    const trigger = { customerTenantId: customerAt(2).id, orderId: 'an-order' }
    const run = await runWorkflow({ actions, connectors: { ...orders(), shared_teams: teams.connector }, trigger })

    expect(run).toEqual({ status: 'Succeeded' })
    expect(teams.calls.map(call => call['body/messageBody'])).toEqual([
      expect.stringMatching(/an-order.*no_customer_relationship/),
    ])
  })
})

describe('the recipe for Excel', () => {
  type Row = Record<string, unknown>

  /** A table like that of Excel Online: texts, and no check that a key is unique. */
  function createTable() {
    const rows: Row[] = []
    let writes = 0
    const cells = (parameters: Row) =>
      Object.fromEntries(
        Object.entries(parameters)
          .filter(([name]) => name.startsWith('item/'))
          .map(([name, value]) => [name.slice('item/'.length), String(value)]),
      )
    const connector: Connectors[string] = async (operationId, parameters, all) => {
      if (operationId === 'GetItems') return { statusCode: 200, body: { value: all ? rows : rows.slice(0, 256) } }
      writes++
      if (operationId === 'AddRowV2') rows.push(cells(parameters))
      else {
        const row = rows.find(each => each[String(parameters.idColumn)] === parameters.id)
        if (row === undefined) return { statusCode: 404, body: {} }
        Object.assign(row, cells(parameters))
      }
      return { statusCode: 200, body: {} }
    }
    return { rows, connector, writes: () => writes }
  }

  const table = createTable()
  const run = (): Promise<Run> =>
    runWorkflow({
      actions: readRecipe('order-lines-to-excel').actions,
      connectors: { ...orders(), shared_excelonlinebusiness: table.connector },
    })
  const keys = () => table.rows.map(({ RowKey }) => RowKey)
  const lines = () =>
    app.simulator.partnerCenter.customers.flatMap(each => each.orders.flatMap(({ lineItems }) => lineItems))

  test('order lines to Excel adds every line of every customer once', async () => {
    await snapshot()
    expect(await run()).toEqual({ status: 'Succeeded' })
    expect(table.rows).toHaveLength(lines().length)
    expect(new Set(keys()).size).toBe(table.rows.length)
    expect(table.rows[0]).toMatchObject({
      Customer: expect.stringMatching(/\w/),
      Quantity: expect.stringMatching(/^\d+$/),
    })
  })

  test('order lines to Excel writes nothing the second time', async () => {
    const before = table.writes()
    expect(await run()).toEqual({ status: 'Succeeded' })
    expect(table.writes()).toBe(before)
  })

  test('order lines to Excel updates the row of a line that changed, and adds the rows of a new order', async () => {
    const [changed] = customerAt(0).orders[0]?.lineItems ?? []
    Object.assign(changed ?? {}, { quantity: 4321 })
    const order = sampleOrder(customerAt(3).id, 601)
    customerAt(3).orders.push(order)
    await snapshot()
    const before = table.writes()

    expect(await run()).toEqual({ status: 'Succeeded' })
    expect(table.writes() - before).toBe(1 + (order.lineItems?.length ?? 0))
    expect(table.rows.filter(({ Quantity }) => Quantity === '4321')).toHaveLength(1)
    expect(table.rows).toHaveLength(lines().length)
    expect(new Set(keys()).size).toBe(table.rows.length)
  })

  test('order lines to Excel keeps the rows of a customer that the snapshot could not read', async () => {
    app.simulator.partnerCenter.faults.set(customerAt(1).id, refuse(400, '1', 'Odd.'))
    const order = sampleOrder(customerAt(4).id, 602)
    customerAt(4).orders.push(order)
    await snapshot()
    expect(await run()).toEqual({ status: 'Succeeded' })
    expect(table.rows).toHaveLength(lines().length)
  })

  test('order lines to Excel fails with the message of the app if the lines cannot be read', async () => {
    const actions = readRecipe('order-lines-to-excel').actions
    const connectors = { shared_excelonlinebusiness: table.connector }
    const wrongKey = connectorOf({ url: app.url, key: 'another-key' })
    expect(await runWorkflow({ actions, connectors: { ...connectors, shared_partnercenterorders: wrongKey } })).toEqual(
      {
        status: 'Failed',
        message: 'The app did not respond.',
      },
    )
    const without: Connectors[string] = async () => ({
      statusCode: 404,
      body: { error: { code: 'snapshot_not_found', message: 'There is no finished snapshot of all customers.' } },
    })
    expect(await runWorkflow({ actions, connectors: { ...connectors, shared_partnercenterorders: without } })).toEqual({
      status: 'Failed',
      message: 'There is no finished snapshot of all customers.',
    })
  })

  test('order lines to Excel fails if Excel refuses a row', async () => {
    customerAt(4).orders.push(sampleOrder(customerAt(4).id, 603))
    await snapshot()
    const refusing: Connectors[string] = async (operationId, parameters, all) =>
      operationId === 'AddRowV2' ? { statusCode: 429, body: {} } : table.connector(operationId, parameters, all)
    const { actions } = readRecipe('order-lines-to-excel')
    const connectors = { ...orders(), shared_excelonlinebusiness: refusing }
    expect(await runWorkflow({ actions, connectors })).toEqual({ status: 'Failed' })
  })
})

describe('the recipe for mail', () => {
  async function mailed(connector = orders().shared_partnercenterorders, now?: Date) {
    const outlook = recorder()
    const { actions } = readRecipe('snapshot-mail')
    const connectors = { shared_partnercenterorders: connector, shared_office365: outlook.connector }
    const parameters = { recipient: 'operations@example.com' }
    const run = await runWorkflow({ actions, connectors, parameters, ...(now === undefined ? {} : { now }) })
    expect(run).toEqual({ status: 'Succeeded' })
    for (const call of outlook.calls)
      expect(call).toMatchObject({ operationId: 'SendEmailV2', 'emailMessage/To': 'operations@example.com' })
    return outlook.calls.map(call => `${call['emailMessage/Subject']} | ${call['emailMessage/Body']}`)
  }

  test('the recipe for mail sends nothing if the newest snapshot is complete', async () => {
    expect((await snapshot()).status).toBe(200)
    expect(await mailed()).toEqual([])
  })

  test('the recipe for mail names the customers that are missing', async () => {
    app.simulator.partnerCenter.faults.set(customerAt(1).id, refuse(400, '1', 'Odd.'))
    await snapshot()
    const [mail, ...more] = await mailed()
    expect(more).toEqual([])
    expect(mail).toMatch(/customers missing: 1 /)
    expect(mail).toMatch(/the orders of 4 of 5 customers/)
    expect(mail).toMatch(/<tr><td>.+<\/td><td>partner_center_\w+<\/td><td>.+<\/td><\/tr>/)
  })

  test('the recipe for mail says why a snapshot failed', async () => {
    app.simulator.partnerCenter.outage = refuse(401, '900421', 'MFA required.')
    expect((await snapshot()).status).toBe(424)
    app.simulator.partnerCenter.outage = undefined
    expect(await mailed()).toEqual([expect.stringMatching(/the snapshot failed \| .*Code: mfa_required/)])
  })

  test('the recipe for mail reports a morning without a snapshot', async () => {
    const later = new Date(Date.now() + 3 * 86_400_000)
    expect(await mailed(undefined, later)).toEqual([
      expect.stringMatching(/no snapshot since yesterday \| .*\d{4}-\d\d-/),
    ])
    const none: Connectors[string] = async () => ({ statusCode: 200, body: { value: [] } })
    expect(await mailed(none)).toEqual([expect.stringContaining('no time at all')])
  })

  test('the recipe for mail reports a snapshot that is still running', async () => {
    const running: Connectors[string] = async () => ({
      statusCode: 200,
      body: {
        value: [
          {
            snapshotId: '20261120T002000Z',
            status: 'running',
            startedAt: new Date().toISOString(),
            customers: { planned: 5, read: 2, failed: 0 },
          },
        ],
      },
    })
    expect(await mailed(running)).toEqual([expect.stringContaining('has read 2 of 5 customers')])
  })

  test('the recipe for mail reports that the snapshots cannot be read', async () => {
    const wrongKey = connectorOf({ url: app.url, key: 'another-key' })
    expect(await mailed(wrongKey)).toEqual([expect.stringContaining('no_response: The app did not respond.')])
    const down: Connectors[string] = async () => ({
      statusCode: 503,
      body: { error: { code: 'storage_unavailable', message: 'The storage cannot be reached.' } },
    })
    expect(await mailed(down)).toEqual([expect.stringContaining('storage_unavailable')])
  })
})

describe('the report as a mail', () => {
  async function mailed(connector = orders().shared_partnercenterorders) {
    const outlook = recorder()
    const { actions } = readRecipe('snapshot-digest')
    const connectors = { shared_partnercenterorders: connector, shared_office365: outlook.connector }
    const run = await runWorkflow({ actions, connectors, parameters: { recipient: 'operations@example.com' } })
    expect(run).toEqual({ status: 'Succeeded' })
    expect(outlook.calls).toHaveLength(1)
    expect(outlook.calls[0]).toMatchObject({ operationId: 'SendEmailV2', 'emailMessage/To': 'operations@example.com' })
    return outlook.calls[0] as Call
  }

  test('sends what the app says of the newest snapshot, with links to the app', async () => {
    await snapshot()
    const mail = String((await mailed())['emailMessage/Body'])
    expect(mail).toMatch(/^<!doctype html>/)
    expect(mail).toContain('All 5 customers were read')
    expect(mail).toContain(`href="${app.url}/api/snapshots/`)
    expect(mail).not.toContain(key)
  })

  test('sends the report of a snapshot that failed, too', async () => {
    app.simulator.partnerCenter.outage = refuse(401, '900421', 'MFA required.')
    expect((await snapshot()).status).toBe(424)
    app.simulator.partnerCenter.outage = undefined
    expect((await mailed())['emailMessage/Body']).toMatch(/Failed\.<\/strong> Partner Center requires multi-factor/)
  })

  test('says why there is no report', async () => {
    const none: Connectors[string] = async () => ({
      statusCode: 404,
      body: { error: { code: 'snapshot_not_found', message: 'There is no finished snapshot.' } },
    })
    expect(await mailed(none)).toMatchObject({
      'emailMessage/Subject': 'Orders: there is no report',
      'emailMessage/Body': '<p>snapshot_not_found: There is no finished snapshot.</p>',
    })
  })
})
