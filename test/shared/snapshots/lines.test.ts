import { expect, test } from 'vitest'
import { orderLineColumns, toOrderLines } from '../../../shared/orders/order-lines.ts'
import { decodeLines, splitLine } from '../../../shared/snapshots/storage/codec.ts'
import type { Latest } from '../../../shared/snapshots/storage/shapes.ts'
import { createOperation } from '../../support/operations.ts'
import { parquetFooter, readParquet } from '../../support/parquet.ts'
import {
  createWorld,
  customerId,
  folder,
  json,
  makeCustomers,
  run,
  smallParts,
  start,
  type World,
} from '../../support/snapshot-world.ts'

async function worldOf(count: number): Promise<World> {
  const world = await createWorld(smallParts)
  world.customers.push(...makeCustomers(count))
  return world
}

const bodyOf = (world: World, name: string): Buffer => {
  const blob = world.store.blobs.get(name)
  if (blob === undefined) throw new Error(`There is no ${name}`)
  return blob.body
}

const linesBlobs = (world: World) => [...world.store.blobs.keys()].filter(name => name.startsWith('lines/')).sort()

/** The expected lines of a part, derived from the part itself. */
async function expectedRows(world: World, id: string, part: string) {
  const lines = await decodeLines(bodyOf(world, `${folder(id)}/${part}.ndjson.gz`))
  return lines.flatMap(line => {
    const { head, json } = splitLine(line)
    return toOrderLines({ json }, head.customerTenantId, head.customerName).map(row => ({
      ...Object.fromEntries(orderLineColumns.map(name => [name, row[name] ?? null])),
      orderedAt: new Date(row.orderedAt ?? Number.NaN),
      retrievedAt: new Date(head.retrievedAt),
      snapshotId: id,
    }))
  })
}

test('each part has the lines of its orders, and latest.json has their path', async () => {
  const world = await worldOf(7)
  const { snapshotId } = await run(world)
  const linesPath = folder(snapshotId, 'lines')
  expect(linesBlobs(world)).toEqual([0, 1, 2].map(part => `${linesPath}/part-0000${part}.parquet`))
  expect(json<Latest>(world, 'latest.json')).toMatchObject({ snapshotId, path: folder(snapshotId), linesPath })
  const counts: number[] = []
  for (const part of ['part-00000', 'part-00001', 'part-00002']) {
    const rows = await readParquet(bodyOf(world, `${linesPath}/${part}.parquet`))
    expect(rows).toEqual(await expectedRows(world, snapshotId, part))
    counts.push(rows.length)
  }
  expect(counts).toEqual([6, 6, 2])
})

test('a customer whose orders are too large to wait in memory has the same lines', async () => {
  const world = await worldOf(2)
  const orders = world.customers[0]?.orders
  if (Array.isArray(orders)) for (const order of orders) Object.assign(order, { note: 'x'.repeat(300_000) })
  const { snapshotId } = await run(world)
  const rows = await readParquet(bodyOf(world, `${folder(snapshotId, 'lines')}/part-00000.parquet`))
  expect(rows).toHaveLength(4)
  expect(rows).toEqual(await expectedRows(world, snapshotId, 'part-00000'))
})

test('a part without orders, or of a stopped run, has a file with every column and no row', async () => {
  const world = await worldOf(4)
  for (const customer of world.customers.slice(0, 3)) customer.orders = []
  const first = await run(world)
  world.list = undefined
  const id = await start(world)
  await world.snapshots.cancel(id, createOperation({ clock: world.clock }))
  await world.drain()
  const [full, ended] = [first.snapshotId, id].map(run => linesBlobs(world).filter(name => name.includes(run)))
  expect(full).toHaveLength(2)
  for (const name of [full?.[0] ?? '', ...(ended ?? [])]) {
    expect(await readParquet(bodyOf(world, name))).toEqual([])
    expect(
      parquetFooter(bodyOf(world, name))
        .schema.slice(1)
        .map(each => each.name),
    ).toEqual([...orderLineColumns, 'retrievedAt', 'snapshotId'])
  }
})

test('a run over some customers has no lines, and readings have the customer name', async () => {
  const world = await worldOf(4)
  const operation = createOperation({ clock: world.clock })
  await world.snapshots.start('request', [[customerId(2), 'Customer 2']], operation)
  await world.drain()
  expect(linesBlobs(world)).toEqual([])
  expect(await world.snapshots.readBack(customerId(2), undefined, operation)).toMatchObject({
    customerName: 'Customer 2',
  })
})

test('a part of the previous version is complete without lines, and latest.json names none', async () => {
  const world = await worldOf(7)
  const { commit } = world.store
  let commits = 0
  world.store.commit = async (name, blocks, options) => {
    // The previous version has no lines, so its worker does not commit any.
    if (name.endsWith('00001.parquet') && ++commits === 1) return true
    const { linesblocks: _, ...metadata } = options?.metadata ?? {}
    const isOfBefore = name.endsWith('part-00001.ndjson.gz') && name.startsWith('snapshots/')
    return commit(name, blocks, isOfBefore ? { ...options, metadata } : options)
  }
  const { snapshotId, status } = await run(world)
  expect(status).toBe('succeeded')
  expect(linesBlobs(world).map(name => name.slice(-13))).toEqual(['00000.parquet', '00002.parquet'])
  expect(json<Latest>(world, 'latest.json')).not.toHaveProperty('linesPath')
  expect(commits).toBe(1)
  expect((await world.snapshots.readBack(customerId(5), undefined, createOperation())).snapshotId).toBe(snapshotId)
})

test('lines that a worker did not commit appear with the next message of the run', async () => {
  const world = await worldOf(4)
  await start(world)
  let kills = 2
  world.store.before = (operation, name) => {
    if (operation === 'commit' && name.startsWith('lines/') && kills-- > 0) throw new Error('killed')
  }
  await world.drain()
  expect(linesBlobs(world)).toHaveLength(2)
  expect(json<Latest>(world, 'latest.json').linesPath).toBeDefined()
})

test('lines whose blocks are gone end the run, and its error names the blob', async () => {
  const world = await worldOf(4)
  const { commit } = world.store
  world.store.commit = async (name, blocks, options) =>
    name.startsWith('lines/') ? commit(name, ['gone', ...blocks], options) : commit(name, blocks, options)
  const manifest = await run(world)
  expect(manifest).toMatchObject({
    status: 'failed',
    error: { code: 'snapshot_corrupt', message: expect.stringContaining('lines/date=') },
  })
})
