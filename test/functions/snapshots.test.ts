import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { caseId, firstTimes, refuse, throttle } from '../../local/simulator/failure-cases.ts'
import { sampleOrder } from '../../local/simulator/sample-data.ts'
import type { Index, Manifest, Snapshot } from '../../shared/snapshots/storage/shapes.ts'
import { type RunningApp, startApp } from '../support/running-app.ts'
import {
  openContainer,
  readBlob,
  readJson,
  readRows,
  type SnapshotRow,
  takeSnapshot as takeSnapshotOf,
} from '../support/snapshots.ts'

let app: RunningApp

beforeAll(async () => {
  app = await startApp({
    simulator: { customers: 1200, ordersEach: 3 },
    settings: { PARTNER_CENTER_REQUESTS_PER_MINUTE: '60000', PARTNER_CENTER_CONCURRENCY: '10' },
    prepare: ({ partnerCenter }) => {
      partnerCenter.latencyMs = 2
      const ids = partnerCenter.customers.map(({ id }) => id)
      const slow = (milliseconds: number) => (_: unknown, proceed: () => void) => void setTimeout(proceed, milliseconds)
      for (const id of ids.slice(10, 20)) partnerCenter.faults.set(id, refuse(403, '20002', 'No relationship.'))
      for (const id of ids.slice(20, 25)) partnerCenter.faults.set(id, firstTimes(1, throttle(1)))
      for (const id of ids.slice(25, 35)) partnerCenter.faults.set(id, slow(300))
    },
  })
})
afterAll(() => app.stop())

const container = () => openContainer(app.storage)
const get = async <T>(path: string) => (await (await fetch(app.api + path)).json()) as T

const takeSnapshot = (body?: unknown) => takeSnapshotOf(app.api, body)

describe('a large snapshot, with refused, throttled and slow customers', () => {
  let manifest: Manifest

  beforeAll(async () => {
    const response = await takeSnapshot()
    expect(response.status).toBe(200)
    manifest = (await response.json()) as Manifest
  })

  test('a large snapshot contains all customers except the refused ones, which it lists', () => {
    const { customers } = app.simulator.partnerCenter
    const orders = customers.reduce((sum, { orders }, at) => sum + (at >= 10 && at < 20 ? 0 : orders.length), 0)
    expect(manifest).toMatchObject({
      status: 'completedWithErrors',
      trigger: 'request',
      customers: { planned: 1200, read: 1190, failed: 10 },
      orders,
      changes: { created: 0, updated: 0, removed: 0 },
    })
    expect(manifest.parts).toHaveLength(24)
    expect(manifest.failures).toHaveLength(10)
    expect(manifest.failures[0]).toMatchObject({ code: 'no_customer_relationship', customerName: expect.any(String) })
    expect(Date.parse(manifest.asOf ?? '') - Date.parse(manifest.completeThrough ?? '')).toBe(15 * 60 * 1000)
  })

  test('a large snapshot contains every order once, in blobs that any gzip reader can read', async () => {
    const rows = await readRows<SnapshotRow>(container(), `${manifest.path}/part-`)
    const { customers } = app.simulator.partnerCenter
    const expected = customers
      .filter((_, at) => at < 10 || at >= 20)
      .flatMap(({ id, orders }) => orders.map(order => `${id} ${order.id}`))
    expect(rows.map(({ customerTenantId, order }) => `${customerTenantId} ${order.id}`).sort()).toEqual(expected.sort())
    const ids = rows.map(({ customerTenantId }) => customerTenantId)
    expect(ids).toEqual([...ids].sort())
  })

  test('a large snapshot has indexes whose ranges, counts and hashes match their parts', async () => {
    const { gunzipSync } = await import('node:zlib')
    const { createHash } = await import('node:crypto')
    for (const [part, { name, bytes, sha256 }] of manifest.parts.entries()) {
      const blob = await readBlob(container(), `${manifest.path}/${name}`)
      const index = await readJson<Index>(container(), `${manifest.path}/_index-${String(part).padStart(5, '0')}.json`)
      expect(blob.length).toBe(bytes)
      expect(createHash('sha256').update(blob).digest('hex')).toBe(sha256)
      expect(blob.readUInt32LE(4)).toBe(0)
      let end = 0
      for (const entry of index.customers) {
        if (!('offset' in entry)) continue
        expect(entry.offset).toBe(end)
        end += entry.length
        const text = entry.length === 0 ? '' : gunzipSync(blob.subarray(entry.offset, end)).toString()
        expect(text.split('\n').length - 1).toBe(entry.orders)
      }
      expect(end).toBe(blob.length)
    }
  })

  test('a large snapshot is the latest and the first in the list', async () => {
    expect(await readJson(container(), 'latest.json')).toEqual({
      snapshotId: manifest.snapshotId,
      path: manifest.path,
      linesPath: manifest.path.replace('snapshots/', 'lines/'),
      asOf: manifest.asOf,
      finishedAt: manifest.finishedAt,
    })
    const { value } = await get<{ value: Snapshot[] }>('/snapshots')
    const { path: _, parts: __, failures: ___, ...snapshot } = manifest
    expect(value[0]).toEqual(snapshot)
  })

  test('a large snapshot is the source for asOf at its time, and not before', async () => {
    const customer = app.simulator.partnerCenter.customers[100]
    const live = await fetch(`${app.api}/customers/${customer?.id}/orders`)
    const day = manifest.startedAt.slice(0, 10)
    const past = await fetch(`${app.api}/customers/${customer?.id}/orders?asOf=${day}`)

    expect(past.status).toBe(200)
    expect(await past.text()).toBe(await live.text())
    expect(past.headers.get('etag')).toBe(live.headers.get('etag'))
    expect(past.headers.get('x-orders-source')).toBe('snapshot')
    expect(past.headers.get('x-orders-as-of')).toBe(manifest.startedAt)
    const early = new Date(Date.parse(manifest.startedAt) - 1).toISOString()
    expect((await fetch(`${app.api}/customers/${customer?.id}/orders?asOf=${early}`)).status).toBe(404)
    const lines = await fetch(`${app.api}/customers/${customer?.id}/order-lines?asOf=${day}&top=2`)
    expect(((await lines.json()) as { value: unknown[] }).value).toHaveLength(2)
  })

  test('a large snapshot replaces an upstream that is down, with allowStale', async () => {
    const customer = app.simulator.partnerCenter.customers[100]
    app.simulator.partnerCenter.outage = refuse(503, '0', 'down', { 'retry-after': '0' })
    const strict = await fetch(`${app.api}/customers/${customer?.id}/orders`)
    const stale = await fetch(`${app.api}/customers/${customer?.id}/orders?allowStale=true`)
    const nowhere = await fetch(`${app.api}/customers/${caseId(77)}/orders?allowStale=true`)
    app.simulator.partnerCenter.outage = undefined

    expect([strict.status, stale.status, nowhere.status]).toEqual([503, 200, 503])
    expect(stale.headers.get('x-orders-source')).toBe('snapshot')
    const fresh = await fetch(`${app.api}/customers/${customer?.id}/orders?allowStale=true`)
    expect(fresh.headers.get('x-orders-source')).toBe('live')
  })

  test('a large snapshot with a truncated part gives an error for every customer behind the cut', async () => {
    const name = `${manifest.path}/${manifest.parts[0]?.name}`
    const { customers } = await readJson<Index>(container(), `${manifest.path}/_index-00000.json`)
    const read = customers.filter(entry => 'offset' in entry && entry.length > 0)
    const whole = await readBlob(container(), name)
    const properties = await container().getBlobClient(name).getProperties()
    const put = (body: Buffer) =>
      container()
        .getBlockBlobClient(name)
        .upload(body, body.length, { metadata: properties.metadata ?? {} })
    try {
      for (const kept of [50, 0]) {
        await put(whole.subarray(0, kept))
        for (const { customerTenantId } of [read[0], read.at(-1)].filter(entry => entry !== undefined)) {
          const response = await fetch(`${app.api}/customers/${customerTenantId}/orders?asOf=${manifest.finishedAt}`)
          expect(response.status).toBe(500)
          expect(await response.json()).toMatchObject({ error: { code: 'snapshot_corrupt', target: name } })
        }
      }
    } finally {
      await put(whole)
    }
  })

  test('a large snapshot is the baseline of the next one', async () => {
    const { partnerCenter } = app.simulator
    const [created, updated, removed, refusedNow, gone] = [200, 201, 202, 203, 204].map(
      at => partnerCenter.customers[at],
    )
    if (!created || !updated || !removed || !refusedNow || !gone) throw new Error('The sample data is too small')
    created.orders.push(sampleOrder(created.id, 999))
    Object.assign(updated.orders[1] ?? {}, { status: 'cancelled', currencyCode: 'EUR' })
    const [lost] = removed.orders.splice(0, 1)
    partnerCenter.faults.set(refusedNow.id, refuse(404, '60003', 'Gone for a while.'))
    refusedNow.orders.pop()
    partnerCenter.customers.splice(partnerCenter.customers.indexOf(gone), 1)

    const second = (await (await takeSnapshot()).json()) as Manifest
    const changes = await readRows<Record<string, unknown>>(container(), second.path.replace('snapshots/', 'changes/'))

    expect(second.changes).toEqual({ created: 1, updated: 1, removed: 1 + gone.orders.length })
    expect(changes).toHaveLength(3 + gone.orders.length)
    const of = (id: string) => changes.filter(({ customerTenantId }) => customerTenantId === id)
    expect(of(created.id)).toEqual([
      expect.objectContaining({
        kind: 'created',
        snapshotId: second.snapshotId,
        orderId: sampleOrder(created.id, 999).id,
        customerName: created.companyName,
      }),
    ])
    expect(of(created.id)[0]).not.toHaveProperty('previousOrder')
    expect(of(updated.id)).toEqual([
      expect.objectContaining({
        kind: 'updated',
        changedMembers: ['currencyCode', 'status'],
        order: expect.objectContaining({ status: 'cancelled' }),
        previousOrder: expect.objectContaining({ currencyCode: 'DKK' }),
      }),
    ])
    expect(of(removed.id)).toEqual([expect.objectContaining({ kind: 'removed', orderId: lost?.id })])
    expect(of(refusedNow.id)).toEqual([])
    expect(of(gone.id).map(({ kind }) => kind)).toEqual(gone.orders.map(() => 'removed'))
    expect(new Set(changes.map(({ id }) => id)).size).toBe(changes.length)

    // The failed customer is compared with the run before, and the customer that left stays removed.
    partnerCenter.faults.delete(refusedNow.id)
    const third = (await (await takeSnapshot()).json()) as Manifest
    const later = await readRows<Record<string, unknown>>(container(), third.path.replace('snapshots/', 'changes/'))
    expect(third.changes).toEqual({ created: 0, updated: 0, removed: 1 })
    expect(later[0]).toMatchObject({ kind: 'removed', customerTenantId: refusedNow.id })
    const answered = await fetch(`${app.api}/customers/${refusedNow.id}/orders?asOf=${second.startedAt}`)
    expect(answered.headers.get('x-orders-as-of')).toBe(manifest.startedAt)
  })
})

test('a list of snapshots is paged, newest first', async () => {
  const all = (await get<{ value: Snapshot[] }>('/snapshots')).value
  const seen: Snapshot[] = []
  for (let next: string | undefined = `${app.api}/snapshots?top=2`; next !== undefined; ) {
    const page = (await (await fetch(next)).json()) as { value: Snapshot[]; nextLink?: string }
    expect(page.value.length).toBeLessThanOrEqual(2)
    seen.push(...page.value)
    next = page.nextLink
  }
  expect(seen).toEqual(all)
  expect(all.map(({ snapshotId }) => snapshotId)).toEqual([...all.map(({ snapshotId }) => snapshotId)].sort().reverse())
})

test('the health details contain the last snapshot', async () => {
  const [last] = (await get<{ value: Snapshot[] }>('/snapshots')).value
  expect(await get('/health/details')).toMatchObject({ status: 'ok', lastSnapshot: last })
})

test('an unknown snapshot gives 404, and a malformed id gives 400', async () => {
  expect((await fetch(`${app.api}/snapshots/20200101T000000Z`)).status).toBe(404)
  expect((await fetch(`${app.api}/snapshots/yesterday`)).status).toBe(400)
})
