import { expect, test } from 'vitest'
import { customer, dayMs, figuresOf, order, worldOf } from '../../support/figures-world.ts'
import { createOperation } from '../../support/operations.ts'
import { folder, makeCustomers, run, type World } from '../../support/snapshot-world.ts'

/** Removes the Parquet files of a run, as if an earlier version had written the run. */
function withoutLines(world: World, snapshotId: string): void {
  for (const [name, { metadata }] of world.store.blobs) {
    if (name.startsWith(folder(snapshotId, 'lines'))) world.store.blobs.delete(name)
    if (name === `${folder(snapshotId)}/_manifest.json`) metadata.lines = 'false'
  }
}

test('the figures of a run without Parquet files are the same, read from its orders', async () => {
  const world = await worldOf(
    customer(1, [order('a', { totalPrice: 3 }, 3), order('b', { status: 'pending' }, 4)]),
    customer(2, [order('c')]),
    customer(3, []),
  )
  const { snapshotId } = await run(world)
  const { lines } = await figuresOf(world, snapshotId)
  withoutLines(world, snapshotId)
  expect((await figuresOf(world, snapshotId)).lines).toEqual(lines)
  expect(lines).toMatchObject({ orders: 3, lines: 3, seats: 8 })
})

test.each([
  ['lines', 'part-00001.parquet', 'lines'],
  ['changes', 'part-00000.ndjson.gz', 'changes'],
  ['snapshots', '_index-00000.json', 'gone'],
  ['snapshots', '_plan.json', 'failures'],
])('a damaged blob of %s/…/%s leaves its part out of the report', async (root, name, part) => {
  const world = await worldOf(...makeCustomers(4))
  await run(world)
  world.customers.shift()
  await world.clock.advance(dayMs)
  const { snapshotId } = await run(world)
  const blob = world.store.blobs.get(`${folder(snapshotId, root)}/${name}`)
  if (blob === undefined) throw new Error('There is no such blob')
  blob.body = Buffer.concat([blob.body.subarray(0, 10), Buffer.from('damage')])
  const operation = createOperation({ clock: world.clock })
  const figures = await figuresOf(world, snapshotId, operation)
  expect(figures.run.orders).toBe(6)
  if (part === 'lines' || part === 'changes') expect(figures[part]).toEqual({ missing: 'damaged' })
  else expect(figures.gone).toEqual([])
  expect(operation.logged.map(({ event }) => event)).toContain('report_incomplete')
})

test('gathering the figures rejects if storage cannot be reached', async () => {
  const world = await worldOf(...makeCustomers(2))
  const { snapshotId } = await run(world)
  world.store.before = (operation, name) => {
    if (operation === 'read' && name.endsWith('.parquet')) throw new Error('unreachable')
  }
  await expect(figuresOf(world, snapshotId)).rejects.toThrow()
})
