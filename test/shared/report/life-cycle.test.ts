import { expect, test } from 'vitest'
import { AppError } from '../../../shared/errors.ts'
import { createOperation } from '../../support/operations.ts'
import {
  createWorld,
  customerId,
  folder,
  makeCustomers,
  placeOrder,
  run,
  start,
  type World,
} from '../../support/snapshot-world.ts'

const dayMs = 86_400_000
const minuteMs = 60_000

async function worldOf(count: number): Promise<World> {
  const world = await createWorld({ SNAPSHOT_CUSTOMERS_PER_PART: '3' })
  world.customers.push(...makeCustomers(count))
  return world
}

const reportOf = (id: string) => `${folder(id)}/_report.html`
const reports = (world: World) => [...world.store.blobs.keys()].filter(name => name.endsWith('_report.html'))
const asPage = { format: 'html', base: 'https://app.example' } as const
const asMail = { format: 'email', base: 'https://app.example' } as const
const operationOf = (world: World) => createOperation({ clock: world.clock })
const unreachable = () => new AppError('storage_unavailable', 'Storage cannot be reached.')

test('each run over all customers writes a report beside its manifest, after the manifest', async () => {
  const world = await worldOf(7)
  const written: string[] = []
  world.store.before = (operation, name) => {
    if (operation === 'write') written.push(name)
  }
  const { snapshotId } = await run(world)
  expect(written.filter(name => name === reportOf(snapshotId))).toHaveLength(1)
  expect(written.indexOf(reportOf(snapshotId))).toBeGreaterThan(written.indexOf(`${folder(snapshotId)}/_manifest.json`))
  const page = world.store.blobs.get(reportOf(snapshotId))?.body.toString()
  expect(page).toMatch(/^<!doctype html>/)
  expect(page).toContain('All 7 customers were read, with 14 orders.')
})

test('the report of a run that failed says why it failed', async () => {
  const world = await worldOf(3)
  world.list = { status: 401 }
  const { snapshotId, status } = await run(world)
  expect(status).toBe('failed')
  expect(world.store.blobs.get(reportOf(snapshotId))?.body.toString()).toContain('rejects the access token')
})

test('runs over some customers and runs between snapshots store no report, and get one on request', async () => {
  const world = await worldOf(4)
  const { snapshotId: first } = await run(world)
  await world.clock.advance(dayMs)
  const { snapshotId: partial } = await world.snapshots.start(
    'request',
    [[customerId(2), 'Customer 2']],
    operationOf(world),
  )
  await world.drain()
  await world.clock.advance(10 * minuteMs)
  await world.snapshots.follow(operationOf(world))
  placeOrder(world, 1, 'between')
  await world.clock.advance(10 * minuteMs)
  await world.snapshots.follow(operationOf(world))
  await world.drain()
  const following = [...world.store.blobs.keys()].find(name => /^following\/.*_manifest/.test(name))
  expect(reports(world)).toEqual([reportOf(first)])
  const page = await world.snapshots.reports.read(partial, asPage, operationOf(world))
  expect(page?.toString()).toContain('A run over some customers tells no changes')
  const between = /run=([^/]+)/.exec(following ?? '')?.[1] ?? ''
  expect((await world.snapshots.reports.read(between, asPage, operationOf(world)))?.toString()).toContain(
    '1 change of 1 customer',
  )
  expect(reports(world)).toEqual([reportOf(first)])
  expect(await world.snapshots.reports.newest()).toBe(first)
})

test('a report that cannot be written does not affect the run, and a watch message writes it later', async () => {
  const world = await worldOf(4)
  let refusals = 0
  world.store.before = (operation, name) => {
    if (operation !== 'write' || !name.endsWith('_report.html') || refusals > 0) return
    refusals++
    throw unreachable()
  }
  const { snapshotId, status } = await run(world)
  expect({ status, refusals }).toEqual({ status: 'succeeded', refusals: 1 })
  expect(world.poison).toEqual([])
  expect(reports(world)).toEqual([reportOf(snapshotId)])
})

test('a report that always fails does not affect the run', async () => {
  const world = await worldOf(4)
  let tries = 0
  world.store.before = (operation, name) => {
    if (operation !== 'write' || !name.endsWith('_report.html')) return
    tries++
    throw new TypeError('a bug')
  }
  const { status, snapshotId } = await run(world)
  expect({ status, tries }).toEqual({ status: 'succeeded', tries: 2 })
  expect(world.poison).toEqual([])
  expect(await world.snapshots.status.get(snapshotId, operationOf(world))).toHaveProperty('manifest')
})

test('a missing report is made once for parallel requests, and stored', async () => {
  const world = await worldOf(4)
  const { snapshotId } = await run(world)
  world.store.blobs.delete(reportOf(snapshotId))
  let manifests = 0
  world.store.before = (operation, name) => {
    if (operation === 'read' && name.endsWith('_manifest.json')) manifests++
  }
  const worker = await world.newWorker()
  const ask = () => worker.reports.read(snapshotId, asPage, operationOf(world))
  const pages = await Promise.all([ask(), ask(), ask()])
  expect(new Set(pages.map(page => page?.toString())).size).toBe(1)
  expect(manifests).toBe(1)
  expect(world.store.blobs.get(reportOf(snapshotId))?.body).toEqual(pages[0])
})

test('two report pages made in parallel: the first is stored, and both callers get it', async () => {
  const world = await worldOf(4)
  const { snapshotId } = await run(world)
  world.store.blobs.delete(reportOf(snapshotId))
  const first = Buffer.from('the page of another worker')
  world.store.before = (operation, name) => {
    if (operation === 'write') world.store.blobs.set(name, { body: first, etag: '"1"', metadata: {} })
  }
  const page = await world.snapshots.reports.read(snapshotId, asPage, operationOf(world))
  expect(page?.toString()).toBe(first.toString())
  expect(world.store.blobs.get(reportOf(snapshotId))?.body).toEqual(first)
})

test('a request gets the report page even if it cannot be stored', async () => {
  const world = await worldOf(2)
  const { snapshotId } = await run(world)
  world.store.blobs.delete(reportOf(snapshotId))
  world.store.before = operation => {
    if (operation === 'write') throw unreachable()
  }
  const operation = operationOf(world)
  expect((await world.snapshots.reports.read(snapshotId, asPage, operation))?.toString()).toContain('All 2 customers')
  expect(operation.logged.map(({ event }) => event)).toContain('report_not_written')
})

test('the stored report page has links that begin with a slash, and a mail has absolute links', async () => {
  const world = await worldOf(2)
  await run(world)
  Object.assign(world.customers[0] ?? {}, { orders: { status: 403, code: '20002' } })
  await world.clock.advance(dayMs)
  const { snapshotId } = await run(world)
  world.store.blobs.delete(reportOf(snapshotId))
  const page = (await world.snapshots.reports.read(snapshotId, asPage, operationOf(world)))?.toString() ?? ''
  const mail = (await world.snapshots.reports.read(snapshotId, asMail, operationOf(world)))?.toString() ?? ''
  const linksIn = (text: string) => [...text.matchAll(/href="([^"]+)"/g)].map(([, href = '']) => href)
  expect(linksIn(page)).toContain(`/api/customers/${customerId(1)}/orders`)
  expect(linksIn(page).filter(href => !/^[/#]/.test(href))).toEqual([])
  expect(linksIn(mail)).toContain(`https://app.example/api/customers/${customerId(1)}/orders`)
  expect(linksIn(mail).filter(href => !href.startsWith('https://app.example/api/'))).toEqual([])
})

test('the newest report belongs to the newest run over all customers, even if it failed', async () => {
  const world = await worldOf(2)
  expect(await world.snapshots.reports.newest()).toBeUndefined()
  await run(world)
  await world.clock.advance(dayMs)
  world.list = { status: 401 }
  const { snapshotId } = await run(world)
  expect(await world.snapshots.reports.newest()).toBe(snapshotId)
})

test('a run that goes on and an unknown run have no report', async () => {
  const world = await worldOf(2)
  const id = await start(world)
  expect(await world.snapshots.reports.read(id, asPage, operationOf(world))).toBeUndefined()
  expect(await world.snapshots.reports.read('20000101T000000Z', asMail, operationOf(world))).toBeUndefined()
})
