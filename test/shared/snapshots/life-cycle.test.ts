import { describe, expect, test } from 'vitest'
import { AppError } from '../../../shared/errors.ts'
import type { Current, Index } from '../../../shared/snapshots/storage/shapes.ts'
import {
  createLongOperation,
  createWorld,
  folder,
  json,
  makeCustomers,
  manifestOf,
  planRun,
  run,
  smallParts,
  start,
  storageDown,
} from '../../support/snapshot-world.ts'

describe('a run ends', () => {
  test.each([
    ['_index-00001.json', 'index'],
    ['changes', 'changes'],
  ])('a run ends even if %s of a committed part is missing and its message is lost', async blob => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(6))
    const id = await start(world)
    await planRun(world)
    const { commit } = world.store
    world.store.commit = async (name, ...rest) => {
      if (name.includes(blob === 'changes' ? 'changes/' : blob)) throw new Error('killed')
      return commit(name, ...rest)
    }
    const parts = world.queue.filter(({ message }) => message.kind === 'part')
    for (const { message } of parts)
      await world.snapshots.handle(message, createLongOperation(world)).catch(() => undefined)
    world.store.commit = commit
    const watch = world.queue.filter(({ message }) => message.kind === 'watch')
    world.queue.splice(0, Number.POSITIVE_INFINITY, ...watch)
    await world.drain(await world.newWorker())

    expect(manifestOf(world, id)).toMatchObject({ status: 'succeeded', customers: { planned: 6, read: 6 } })
    for (const name of [`${folder(id)}/_index-00001.json`, `${folder(id, 'changes')}/part-00001.ndjson.gz`])
      expect(world.store.blobs.has(name)).toBe(true)
    expect(await start(world)).not.toBe(id)
  })

  test('a run ends even if all part messages are lost, because they are sent again', async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(7))
    const id = await start(world)
    await planRun(world)
    const watch = world.queue.filter(({ message }) => message.kind === 'watch')
    world.queue.splice(0, Number.POSITIVE_INFINITY, ...watch)
    await world.drain()
    expect(manifestOf(world, id)).toMatchObject({ status: 'succeeded', customers: { planned: 7, read: 7 } })
    expect(world.requests.filter(({ path }) => path.endsWith('/orders'))).toHaveLength(7)
  })

  test('a run ends when it is overdue, without another start', async () => {
    const world = await createWorld({ ...smallParts, SNAPSHOT_OVERDUE_MINUTES: '10' })
    world.customers.push(...makeCustomers(7))
    const id = await start(world)
    await planRun(world)
    const watch = world.queue.filter(({ message }) => message.kind === 'watch')
    world.queue.splice(0, Number.POSITIVE_INFINITY, ...watch)
    await world.drain()
    expect(manifestOf(world, id)).toMatchObject({ status: 'failed', error: { code: 'snapshot_failed' } })
  })

  test('a run ends when it is overdue, even if its parts leave no worker for its watch message', async () => {
    const world = await createWorld({ SNAPSHOT_OVERDUE_MINUTES: '10', PARTNER_CENTER_REQUESTS_PER_MINUTE: '1' })
    world.customers.push(...makeCustomers(25))
    const id = await start(world)
    await planRun(world)
    const [part] = world.queue.filter(({ message }) => message.kind === 'part')
    await world.snapshots.handle(part?.message, createLongOperation(world))
    expect(manifestOf(world, id)).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining('overdue') },
    })
    expect(world.requests.length).toBeLessThan(15)
  })

  test('a run logs its end even if the response to the write of its manifest is lost', async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(2))
    const id = await start(world)
    const { write } = world.store
    let lost = 0
    world.store.write = async (name, ...rest) => {
      const written = await write(name, ...rest)
      if (name.endsWith('_manifest.json') && lost++ === 0) throw storageDown()
      return written
    }
    const operation = createLongOperation(world)
    const logging = { ...world.snapshots, handle: (message: unknown) => world.snapshots.handle(message, operation) }
    await world.drain(logging)
    expect(lost).toBe(1)
    expect(operation.logged.map(({ event }) => event)).toContain('snapshot_succeeded')
    expect(json<Current>(world, 'current.json')).toMatchObject({ snapshotId: id, ended: 'succeeded' })
  })

  test('a run ends when it is cancelled, with that status', async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(7))
    const id = await start(world)
    await planRun(world)
    const part = world.queue.findIndex(({ message }) => message.kind === 'part')
    const [first] = world.queue.splice(part, 1)
    if (first !== undefined) await world.snapshots.handle(first.message, createLongOperation(world))
    await world.snapshots.cancel(id, createLongOperation(world))
    await world.snapshots.cancel(id, createLongOperation(world))
    const reads = world.requests.length
    await world.drain()

    expect(world.requests).toHaveLength(reads)
    expect(manifestOf(world, id)).toMatchObject({
      status: 'failed',
      error: { code: 'snapshot_cancelled' },
      customers: { planned: 7, read: 3, failed: 4 },
    })
    const get = world.snapshots.status.get(id, createLongOperation(world))
    await expect(get).rejects.toMatchObject({ code: 'snapshot_cancelled', status: 424 })
    await expect(world.snapshots.cancel(id, createLongOperation(world))).rejects.toMatchObject({
      code: 'snapshot_ended',
    })
    const unknown = world.snapshots.cancel('20200101T000000Z', createLongOperation(world))
    await expect(unknown).rejects.toMatchObject({ code: 'snapshot_not_found' })
    expect(await run(world)).toMatchObject({ status: 'succeeded' })
  })
})

test('a run that is cancelled while its customers are listed asks for no further page', async () => {
  const world = await createWorld(smallParts)
  world.customers.push(...makeCustomers(7))
  world.list = { cutAfter: 3 }
  const id = await start(world)
  world.store.before = operation => {
    const stored = world.store.blobs.get('current.json')
    if (operation !== 'request' || stored === undefined) return
    const stop = { code: 'snapshot_cancelled', message: 'It was cancelled.' }
    const body = Buffer.from(JSON.stringify({ ...json<Current>(world, 'current.json'), stop }))
    world.store.blobs.set('current.json', { ...stored, body })
  }
  await planRun(world)
  expect(world.requests).toHaveLength(1)
  expect(manifestOf(world, id)).toMatchObject({ status: 'failed', error: { code: 'snapshot_cancelled' } })
})

test('a watch message is dropped if the write of another worker fences its start off', async () => {
  const world = await createWorld(smallParts)
  world.customers.push(...makeCustomers(2))
  const id = await start(world)
  const { nonce } = json<Current>(world, 'current.json')
  const late = { kind: 'watch', snapshotId: '20991231T000000Z', nonce: 'late', round: 0, committed: 0, early: 4 }
  world.store.before = (operation, name) => {
    if (operation !== 'write' || name !== 'current.json') return
    world.store.before = () => undefined
    const stored = world.store.blobs.get(name)
    if (stored !== undefined) world.store.blobs.set(name, { ...stored, etag: 'written by another' })
  }
  const before = world.queue.length
  await world.snapshots.handle(late, createLongOperation(world))
  expect(json<Current>(world, 'current.json')).toMatchObject({ snapshotId: id, nonce })
  expect(world.queue).toHaveLength(before)
})

test('a cancelled run ends even if a part cannot be recorded as failed, and names its parts correctly', async () => {
  const world = await createWorld(smallParts)
  world.customers.push(...makeCustomers(9))
  const id = await start(world)
  await planRun(world)
  const last = world.queue.findIndex(({ message }) => message.kind === 'part' && message.part === 2)
  const [third] = world.queue.splice(last, 1)
  if (third !== undefined) await world.snapshots.handle(third.message, createLongOperation(world))
  world.store.before = (operation, name) => {
    if (operation === 'stage' && /part-0000[01]/.test(name)) throw new AppError('snapshot_blob_locked', name)
  }
  await world.snapshots.cancel(id, createLongOperation(world))
  await world.drain()
  const { parts, customers, error } = manifestOf(world, id)
  expect(parts.map(({ name }) => name)).toEqual(['part-00002.ndjson.gz'])
  expect(customers).toEqual({ planned: 9, read: 3, failed: 0 })
  expect(error?.code).toBe('snapshot_cancelled')
  expect(await start(world)).not.toBe(id)
})

describe('a run starts', () => {
  test('a run starts even if its deciding write takes far longer than its message', async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(4))
    const { write } = world.store
    let isSlow = true
    world.store.write = async (name, ...rest) => {
      if (name === 'current.json' && isSlow) {
        isSlow = false
        // The start hangs here, while its message is delivered again and again.
        for (let deliveries = 0; deliveries < 20 && world.queue.length > 0; deliveries++) {
          await world.clock.advance(120_000)
          await planRun(world)
        }
      }
      return write(name, ...rest)
    }
    const id = await start(world)
    await world.drain()
    expect(manifestOf(world, id)).toMatchObject({ status: 'succeeded', customers: { planned: 4, read: 4 } })
  })

  test('a run repeats no part after one refused message', async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(30))
    const id = await start(world)
    let sends = 0
    world.store.before = operation => {
      if (operation === 'send' && ++sends === 5) throw storageDown()
    }
    await world.drain()
    expect(manifestOf(world, id)).toMatchObject({ status: 'succeeded', customers: { planned: 30, read: 30 } })
    expect(world.requests.filter(({ path }) => path.endsWith('/orders'))).toHaveLength(30)
  })

  test('a run is read once even if its plan is delivered again, because old part messages are dropped', async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(9))
    const id = await start(world)
    const [watch] = world.queue
    const { write } = world.store
    // The worker dies after it has sent the parts and before it has recorded that.
    world.store.write = async (name, body, options) => {
      if (name === 'current.json' && body.toString().includes('"sent":true')) throw new Error('killed')
      return write(name, body, options)
    }
    await planRun(world).catch(() => undefined)
    world.store.write = write
    if (watch !== undefined) world.queue.unshift({ ...watch, visibleAt: world.clock.now() })
    await planRun(world)
    // Two workers take all messages at once.
    const parts = world.queue.filter(({ message }) => message.kind === 'part')
    expect(parts).toHaveLength(6)
    const workers = [world.snapshots, await world.newWorker()]
    await Promise.all(
      parts.map(({ message }, at) => workers[at < 3 ? 0 : 1]?.handle(message, createLongOperation(world))),
    )
    await world.drain()
    expect(manifestOf(world, id)).toMatchObject({ status: 'succeeded' })
    expect(world.requests.filter(({ path }) => path.endsWith('/orders'))).toHaveLength(9)
  })

  test('a run does not start again for a message after its end', async () => {
    const world = await createWorld(smallParts)
    world.customers.push(...makeCustomers(4))
    const id = await start(world)
    const [watch] = structuredClone(world.queue)
    await world.drain()
    const { nonce } = json<Current>(world, 'current.json')
    const reads = world.requests.length
    const ofTheVersionBefore = [
      { kind: 'plan', snapshotId: id, nonce, sentAt: world.clock.now() },
      { kind: 'part', snapshotId: id, part: 0, offset: 0, length: 10, handedBack: 0 },
    ]
    for (const message of [watch?.message, ...ofTheVersionBefore]) {
      await world.snapshots.handle(message, createLongOperation(world))
      await world.snapshots.giveUp(message, createLongOperation(world))
    }
    expect(world.requests).toHaveLength(reads)
    expect(world.queue).toEqual([])
  })
})

test('a name with a NUL character is planned and reported like any other', async () => {
  const world = await createWorld(smallParts)
  world.customers.push(...makeCustomers(2))
  Object.assign(world.customers[0] ?? {}, { name: 'A\0B' })
  const { snapshotId, status } = await run(world)
  expect(status).toBe('succeeded')
  const { customers } = json<Index>(world, `${folder(snapshotId)}/_index-00000.json`)
  expect(customers[0]?.customerName).toBe('A\0B')
})
