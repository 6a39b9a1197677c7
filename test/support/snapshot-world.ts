import { AppError } from '../../shared/errors.ts'
import { TransportError, type TransportRequest, type TransportResponse } from '../../shared/partner-center/transport.ts'
import type { Clock } from '../../shared/runtime/clock.ts'
import { readSettings } from '../../shared/settings.ts'
import { createSnapshots, type Snapshots } from '../../shared/snapshots/snapshots.ts'
import { decodeLines } from '../../shared/snapshots/storage/codec.ts'
import type { Message } from '../../shared/snapshots/storage/messages.ts'
import type { PartQueue } from '../../shared/snapshots/storage/part-queue.ts'
import type { Manifest } from '../../shared/snapshots/storage/shapes.ts'
import type { Store } from '../../shared/snapshots/storage/store.ts'
import { createFakeClock, type FakeClock } from './fake-clock.ts'
import { createMemoryStore, type MemoryStore } from './memory-store.ts'
import { createOperation } from './operations.ts'

export type UpstreamOrder = { id: string; [member: string]: unknown }

/** The response for a customer: its orders, or a failure. */
export type UpstreamCustomer = {
  id: string
  name: string
  orders: UpstreamOrder[] | { status: number; code?: string; headers?: Record<string, string> } | 'network'
}

/** A record of the activity log, as far as the app reads it. */
export type LoggedOrder = Record<string, unknown> & { customerId: string; operationDate: string }

export type QueuedMessage = { message: Message; visibleAt: number; deliveries: number }

export type World = {
  clock: FakeClock
  store: MemoryStore
  customers: UpstreamCustomer[]
  /** The response of the customer list: a failure, or its first customers and then a missing page. */
  list: { status: number; code?: string } | { cutAfter: number } | undefined
  /** The activity log: its records, or another response. */
  log: {
    items: LoggedOrder[]
    failure?: { status: number; code?: string; headers?: Record<string, string> } | undefined
  }
  /** The times of all upstream requests. */
  requests: { at: number; path: string }[]
  queue: QueuedMessage[]
  poison: Message[]
  snapshots: Snapshots
  /** Another worker on the same storage, with its own memory. */
  newWorker: () => Promise<Snapshots>
  /** Delivers messages in the order of their time until there is none. A failed delivery is repeated. */
  drain: (worker?: Snapshots) => Promise<void>
  settings: Record<string, string>
}

const settingsOf = (more: Record<string, string>) => ({
  PARTNER_CENTER_TENANT_ID: '11111111-1111-4111-8111-111111111111',
  PARTNER_CENTER_CLIENT_ID: '22222222-2222-4222-8222-222222222222',
  KEY_VAULT_URI: 'https://vault.example',
  PARTNER_CENTER_BASE_URL: 'http://127.0.0.1:1',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  ...more,
})

export const customerId = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`

/** Snapshots with storage in memory, a scripted upstream and fake time, which takes milliseconds for a run. */
export async function createWorld(settings: Record<string, string> = {}, store = createMemoryStore()): Promise<World> {
  const clock = createFakeClock({ jumps: true })
  const queue: QueuedMessage[] = []
  const poison: Message[] = []
  const requests: World['requests'] = []
  const values = await readSettings(settingsOf(settings))
  const customers: UpstreamCustomer[] = []

  const partQueue: PartQueue = {
    async send(message, delaySeconds = 0) {
      store.before('send', message.kind)
      const entry = {
        message: structuredClone(message),
        visibleAt: clock.now() + Math.max(0, Math.round(delaySeconds)) * 1000,
        deliveries: 0,
      }
      queue.push(entry)
    },
  }

  const newWorker = async () =>
    createSnapshots({
      store: store as Store,
      queue: partQueue,
      request: {
        transport: request => answer(request),
        tokens: { get: async () => 'token', renew: async () => 'token' },
        baseUrl: values.baseUrl,
        clock: clock as Clock,
      },
      settings: values,
      clock,
    })

  async function answer({ url }: TransportRequest): Promise<TransportResponse> {
    store.before('request', url.pathname)
    requests.push({ at: clock.now(), path: url.pathname })
    await new Promise(resolve => setImmediate(resolve))
    const json = (status: number, body: unknown, headers = {}) => ({
      status,
      headers,
      body: Buffer.from(JSON.stringify(body)),
    })
    if (url.pathname === '/v1/auditrecords') {
      const { items, failure } = world.log
      if (failure !== undefined) return json(failure.status, { code: failure.code }, failure.headers)
      const startDate = url.searchParams.get('startDate') ?? ''
      return json(200, { items: items.filter(({ operationDate }) => operationDate >= startDate) })
    }
    const [, , , id, resource] = url.pathname.split('/')
    if (id === undefined) {
      const { list } = world
      if (list !== undefined && 'status' in list) return json(list.status, { code: list.code })
      if (url.searchParams.has('page')) return json(400, { code: '2000' })
      const items = customers.map(({ id, name }) => ({ id, companyProfile: { companyName: name } }))
      if (list === undefined) return json(200, { items })
      return json(200, { items: items.slice(0, list.cutAfter), links: { next: { uri: '/customers?page=2' } } })
    }
    const customer = customers.find(each => each.id === id)
    if (customer === undefined) return json(404, { code: '60003' })
    if (resource === undefined) return json(200, { id, companyProfile: { companyName: customer.name } })
    if (customer.orders === 'network') throw new TransportError('network', 'reset')
    if (Array.isArray(customer.orders)) return json(200, { totalCount: customer.orders.length, items: customer.orders })
    return json(customer.orders.status, { code: customer.orders.code }, customer.orders.headers)
  }

  async function drain(worker = world.snapshots): Promise<void> {
    for (;;) {
      const next = [...queue].sort((a, b) => a.visibleAt - b.visibleAt)[0]
      if (next === undefined) return
      queue.splice(queue.indexOf(next), 1)
      if (next.visibleAt > clock.now()) await clock.advance(next.visibleAt - clock.now())
      const operation = createOperation({ clock, seconds: 1680 })
      try {
        await worker.handle(next.message, operation)
      } catch (error) {
        if (!(error instanceof AppError || error instanceof Error)) throw error
        next.deliveries++
        if (next.deliveries < 5) queue.push({ ...next, visibleAt: clock.now() + 30_000 })
        else {
          poison.push(next.message)
          await worker.giveUp(next.message, operation)
        }
      }
    }
  }

  const world: World = {
    clock,
    store,
    customers,
    list: undefined,
    log: { items: [] },
    requests,
    queue,
    poison,
    snapshots: await newWorker(),
    newWorker,
    drain,
    settings,
  }
  return world
}

/** Customers with a few orders each. */
export const makeCustomers = (count: number, ordersEach = 2): UpstreamCustomer[] =>
  Array.from({ length: count }, (_, number) => ({
    id: customerId(number + 1),
    name: `Customer ${number + 1}`,
    orders: Array.from({ length: ordersEach }, (_, order) => ({
      id: `order-${number + 1}-${order}`,
      creationDate: `2026-01-${String(order + 1).padStart(2, '0')}T00:00:00Z`,
      status: 'completed',
      lineItems: [{ lineItemNumber: 0, quantity: order }],
    })),
  }))

/** Starts a run over all customers and returns its id. */
export const start = async (world: World) =>
  (await world.snapshots.start('request', undefined, createOperation({ clock: world.clock }))).snapshotId

/** A blob's JSON. */
export const json = <T>(world: World, name: string): T =>
  JSON.parse(world.store.blobs.get(name)?.body.toString() ?? 'null') as T
/** The folder of a run's blobs. */
export const folder = (id: string, root = 'snapshots') =>
  `${root}/date=${id.slice(0, 4)}-${id.slice(4, 6)}-${id.slice(6, 8)}/run=${id}`
export const manifestOf = (world: World, id: string) => json<Manifest>(world, `${folder(id)}/_manifest.json`)

/** Adds an order to a customer, and a record to the log. */
export function placeOrder(world: World, customer: number, id: string, record?: Partial<LoggedOrder>): void {
  const found = world.customers.find(each => each.id === customerId(customer))
  const date = new Date(world.clock.now()).toISOString()
  if (Array.isArray(found?.orders)) found.orders = [...found.orders, { id, creationDate: date, status: 'pending' }]
  note(world, customer, record)
}

/** Adds a record to the log. */
export function note(world: World, customer: number, record: Partial<LoggedOrder> = {}): void {
  const operationDate = new Date(world.clock.now()).toISOString().replace('Z', '0000Z')
  const operation = { operationType: 'create_order', operationStatus: 'succeeded', operationDate }
  world.log.items.push({
    customerId: customerId(customer),
    customerName: `Customer ${customer}`,
    ...operation,
    ...record,
  })
}

/** Takes a snapshot of all customers. */
export async function run(world: World): Promise<Manifest> {
  const id = await start(world)
  await world.drain()
  return manifestOf(world, id)
}

/** Settings for parts of three customers. */
export const smallParts = { SNAPSHOT_CUSTOMERS_PER_PART: '3' }

/** An operation with the time limit of a queue message. */
export const createLongOperation = (world: World) => createOperation({ clock: world.clock, seconds: 1680 })

/** Delivers the watch message once, which plans the run. */
export async function planRun(world: World): Promise<void> {
  const [watch] = world.queue.splice(0, 1)
  if (watch !== undefined) await world.snapshots.handle(watch.message, createLongOperation(world))
}

export const storageDown = () =>
  new AppError('storage_unavailable', 'Storage cannot be reached.', { retryAfterSeconds: 30 })

/** The lines of all gzip blobs below a prefix, as objects, in order. */
export async function rowsOf(world: World, prefix: string): Promise<Record<string, unknown>[]> {
  const names = [...world.store.blobs.keys()].filter(name => name.startsWith(prefix) && name.endsWith('.gz')).sort()
  const lines = await Promise.all(names.map(name => decodeLines(world.store.blobs.get(name)?.body ?? Buffer.alloc(0))))
  return lines.flat().map(line => JSON.parse(line.toString()) as Record<string, unknown>)
}

/** The names of operations on the store that are calls to storage. */
export const storageCalls: ReadonlySet<string> = new Set([
  'head',
  'read',
  'write',
  'stage',
  'commit',
  'list',
  'listFolders',
])
