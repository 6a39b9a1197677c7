import { sampleOrder } from '../../local/simulator/sample-data.ts'
import type { App } from '../../shared/app.ts'
import { isAppError } from '../../shared/errors.ts'
import type { WireFault } from '../support/faulty-server.ts'
import type { SentMessage } from '../support/queue-server.ts'
import { startWorld, type World } from './app-behind-faults.ts'
import type { Dependency, OperationName } from './expectations.ts'

/** What a cell of the matrix has come to. */
export type Result = {
  outcome: string
  /** Milliseconds until that. */
  ms: number
  /** Requests that the faulty dependency had. */
  requests: number
  /** What is wrong after the fault has passed; empty if all is well. */
  afterwards: string
}

/** The code of a failure; anything but an `AppError` is a bug of the app. */
const codeOf = (error: unknown): string => (isAppError(error) ? error.code : `bug: ${String(error)}`)

/** As many as the platform makes before a message goes to the poison queue. */
const mostDeliveries = 5
/** The time after which the platform delivers a failed message again. */
const againMs = 30_000
/** No run here takes as many messages. */
const mostMessages = 400

/** Hands out the next message, and lets the time pass until it is due. False if there is none. */
async function deliver(world: World, app: App): Promise<boolean> {
  const { messages } = world.queue
  const [next] = messages.sort((a, b) => a.visibleAt - b.visibleAt)
  if (next === undefined) return false
  messages.splice(0, 1)
  world.advance(Math.max(0, next.visibleAt - world.now()))
  const { handle, giveUp } = await app.snapshots()
  const isPoison = next.deliveries >= mostDeliveries
  try {
    await world.work(operation => (isPoison ? giveUp : handle)(next.message, operation))
  } catch (error) {
    if (!isAppError(error)) throw error
    messages.push({ ...next, deliveries: next.deliveries + 1, visibleAt: world.now() + againMs } satisfies SentMessage)
  }
  return true
}

async function drain(world: World, app: App): Promise<void> {
  for (let delivered = 0; await deliver(world, app); delivered++) {
    if (delivered > mostMessages) throw new Error('The messages do not end')
  }
}

/** Delivers while the fault is there: until the run has ended, or no message has a delivery left. */
async function drainUnderFault(world: World, app: App): Promise<void> {
  for (let delivered = 0; delivered <= mostDeliveries * 2; delivered++) {
    const isUsedUp = world.queue.messages.every(({ deliveries }) => deliveries > mostDeliveries)
    if (world.queue.messages.length === 0 || isUsedUp) return
    await deliver(world, app)
  }
}

async function statusOf(world: World, app: App, snapshotId: string): Promise<string> {
  const { status } = await app.snapshots()
  try {
    const found = await world.work(operation => status.get(snapshotId, operation))
    // Nothing goes on with it; the next start ends it.
    if ('running' in found) return 'lost'
    const { manifest } = found
    const codes = [...new Set(manifest.failures.map(({ code }) => code))]
    return codes.length === 0 ? manifest.status : `${manifest.status}: ${codes.join(', ')}`
  } catch (error) {
    const code = codeOf(error)
    return code === 'snapshot_not_found' ? 'lost' : `failed: ${code}`
  }
}

const start = async (world: World, app: App): Promise<string> => {
  const snapshots = await app.snapshots()
  const { snapshotId, started } = await world.work(operation => snapshots.start('request', undefined, operation))
  if (!started) throw new Error(`The run ${snapshotId} is in the way`)
  return snapshotId
}

export async function takeSnapshotIn(world: World, app: App): Promise<string> {
  const snapshotId = await start(world, app)
  await drain(world, app)
  return statusOf(world, app, snapshotId)
}

/** Ends what is under way, and takes another snapshot: whatever has happened, that one is whole. */
async function recover(world: World, app: App): Promise<string> {
  await drain(world, app)
  world.advance(3600_000)
  const status = await takeSnapshotIn(world, app)
  return status === 'succeeded' ? '' : `the next snapshot: ${status}`
}

type Operation = (world: World, fault: WireFault) => Promise<Result>

async function timed<T>(world: World, what: () => Promise<T>): Promise<{ value: T; ms: number; requests: number }> {
  const startedAt = performance.now()
  const value = await what()
  return { value, ms: performance.now() - startedAt, requests: world.count() }
}

/** A snapshot from its start on. */
const plan: Operation = async (world, fault) => {
  const app = world.newApp()
  await world.setFault(fault)
  const { value, ...measured } = await timed(world, async () => {
    try {
      const snapshotId = await start(world, app)
      await drainUnderFault(world, app)
      return { snapshotId }
    } catch (error) {
      return { outcome: `not started: ${codeOf(error)}` }
    }
  })
  await world.setFault(undefined)
  await drain(world, app)
  const outcome = value.outcome ?? (await statusOf(world, app, value.snapshotId))
  return { outcome, ...measured, afterwards: await recover(world, app) }
}

/** The reading of customers, in a snapshot that is planned. */
const part: Operation = async (world, fault) => {
  const app = world.newApp()
  const snapshotId = await start(world, app)
  await deliver(world, app)
  await world.setFault(fault)
  const measured = await timed(world, () => drainUnderFault(world, app))
  await world.setFault(undefined)
  await drain(world, app)
  const { value: _, ...rest } = measured
  return { outcome: await statusOf(world, app, snapshotId), ...rest, afterwards: await recover(world, app) }
}

/** A look at the activity log that has news of one order. */
const follow: Operation = async (world, fault) => {
  const before = world.newApp()
  const status = await takeSnapshotIn(world, before)
  if (status !== 'succeeded') throw new Error(`The snapshot to start with: ${status}`)
  const { changes } = await before.snapshots()
  const from = await changes.end()
  const [customer] = world.simulator.partnerCenter.customers
  if (customer === undefined) throw new Error('There is no customer')
  world.advance(60_000)
  const order = sampleOrder(customer.id, 900)
  customer.orders = [...customer.orders, order]
  world.simulator.partnerCenter.activity.note('created', customer, order, world.now())
  world.advance(60_000)

  const app = world.newApp()
  const snapshots = await app.snapshots()
  const look = () => world.work(snapshots.follow)
  await world.setFault(fault)
  const { value, ...measured } = await timed(world, () => look().then(() => 'looked', codeOf))
  await world.setFault(undefined)
  const { error } = await snapshots.followed()
  const outcome = value === 'looked' && error !== undefined ? `noted: ${error.code}` : value

  // A failure that a customer has keeps the position back for a day at most.
  for (let looks = 0; looks < 3; looks++) {
    await drain(world, app)
    world.advance(600_000)
    await look()
  }
  await drain(world, app)
  const page = await world.work(operation => changes.read(from, {}, 100, operation))
  const told = (page?.changes ?? []).map(each => JSON.parse(each.toString()) as { kind: string; orderId: string })
  const texts = told.map(({ kind, orderId }) => `${kind} ${orderId}`)
  const afterwards = texts.join(', ') === `created ${order.id}` ? '' : `told: ${texts.join(', ') || 'nothing'}`
  return { outcome, ...measured, afterwards: afterwards || (await recover(world, app)) }
}

/** The renewal of the refresh token. */
const renew: Operation = async (world, fault) => {
  const { keyVault, entra } = world.simulator
  keyVault.store('partner-center-refresh-token', entra.issueRefreshToken())
  const app = world.newApp()
  await world.setFault(fault)
  const { value: outcome, ...measured } = await timed(world, async () => {
    const { renewCredential: renewNow } = await app.readers()
    return world.work(renewNow).then(() => 'renewed', codeOf)
  })
  await world.setFault(undefined)
  world.advance(600_000)
  const again = await world.work((await app.readers()).renewCredential).then(() => '', codeOf)
  return { outcome, ...measured, afterwards: again }
}

const run: Record<BackgroundOperation, Operation> = { plan, part, follow, renew }
type BackgroundOperation = Exclude<OperationName, 'read'>

const settingsOf: Partial<Record<BackgroundOperation, Record<string, string>>> = {
  renew: { PARTNER_CENTER_CREDENTIAL: 'refresh-token' },
}

export async function runBackgroundCell(
  storage: string,
  operation: BackgroundOperation,
  dependency: Dependency,
  fault: WireFault,
): Promise<Result> {
  const world = await startWorld(storage, dependency, settingsOf[operation])
  try {
    return await run[operation](world, fault)
  } finally {
    await world.setFault(undefined)
    await world.stop()
  }
}
