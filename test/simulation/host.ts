import type { OperationContext } from '../../shared/runtime/operation.ts'
import type { Faults } from './faults.ts'
import { createSimulatedOperation, type Logged } from './operation.ts'
import type { Queue, QueuedMessage } from './queue.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import type { Trace } from './trace.ts'
import type { Worker } from './workers.ts'

type Options = {
  scheduler: Scheduler
  random: Random
  faults: Faults
  trace: Trace
  queue: Queue
  workers: readonly Worker[]
  logged: Logged
  /** How long a message of a dead worker stays hidden from others. */
  leaseMs: number
  /** The time to list all customers at the rate limit, which a process that dies over it loses. */
  listingMs: number
}

/** host.json: a failed message returns after this time, and is poison after the fifth delivery. */
const backAfterMs = 30_000
const mostDeliveries = 5

/** The messages that a worker handles at once: `batchSize` and `newBatchThreshold` are 1. */
const capacity = 2

/** The longest time until a free worker takes a visible message. */
const patienceMs = 2000

const deadlineSeconds = 28 * 60
const timeLimitMs = 30 * 60_000

function remove(list: QueuedMessage[], message: QueuedMessage): void {
  const at = list.indexOf(message)
  if (at >= 0) list.splice(at, 1)
}

/** Delivers messages to workers like the Functions host: renewed leases, poison messages and a time limit. */
export function createHost({ scheduler, random, faults, trace, queue, workers, logged, leaseMs, listingMs }: Options) {
  let receipts = 0

  function poke(ms = 0): void {
    scheduler.after(ms + random.between(1, 500), dispatch)
  }

  function dispatch(): void {
    for (const list of [queue.messages, queue.poison]) {
      for (const message of list.filter(({ visibleAt }) => visibleAt <= scheduler.now())) {
        if (message.expiresAt <= scheduler.now()) {
          trace.say('queue', () => `${message.label} expires`)
          remove(list, message)
          continue
        }
        const free = workers.filter(worker => worker.process.isRunning() && worker.busy < capacity)
        if (free.length === 0) return
        deliver(message, random.pick(free), list === queue.poison)
      }
    }
  }

  function toPoison(message: QueuedMessage): void {
    trace.say('queue', () => `${message.label} is poison`)
    remove(queue.messages, message)
    message.receipt = ++receipts
    const expiresAt = scheduler.now() + 7 * 86_400_000
    queue.poison.push({ ...message, visibleAt: scheduler.now(), expiresAt, deliveries: 0, receipt: 0 })
    poke()
  }

  function deliver(message: QueuedMessage, worker: Worker, isPoison: boolean): void {
    const waitedMs = scheduler.now() - message.visibleAt
    if (message.label === 'watch' && waitedMs > patienceMs) faults.delayed(waitedMs)
    message.deliveries++
    if (!isPoison && message.deliveries > mostDeliveries) {
      toPoison(message)
      return
    }
    const { process, snapshots } = worker
    const receipt = ++receipts
    message.receipt = receipt
    let isOpen = true
    worker.busy++
    trace.say(process.name, () => `> ${isPoison ? 'poison ' : ''}${message.label}, delivery ${message.deliveries}`)
    const { operation, end } = createSimulatedOperation(process, deadlineSeconds, logged)

    const lease = (ms: number) => {
      message.visibleAt = scheduler.now() + ms
      poke(ms)
    }
    const renew = () => {
      if (!isOpen || message.receipt !== receipt) return
      if (process.isRunning()) lease(leaseMs)
      if (process.isAlive()) scheduler.after(leaseMs / 2, renew)
    }
    lease(leaseMs)
    if (faults.strikes('lease ends early')) lease(random.spread(50, 60_000))
    else scheduler.after(leaseMs / 2, renew)
    scheduler.after(timeLimitMs, () => {
      if (isOpen) process.kill('is ended by the time limit')
    })
    process.onEnd(() => {
      // No other worker gets it before its lease ends.
      if (isOpen && message.label === 'watch') faults.delayed(leaseMs + listingMs)
      isOpen = false
    })

    const finished = (error?: unknown) => {
      isOpen = false
      worker.busy--
      end()
      poke()
      trace.say(process.name, () => `< ${message.label}${error === undefined ? '' : `: ${String(error)}`}`)
      if (error !== undefined && !(error instanceof Error)) throw error
      if (message.receipt !== receipt || faults.strikes('completion is lost')) return
      const list = isPoison ? queue.poison : queue.messages
      if (error === undefined) remove(list, message)
      else if (!isPoison && message.deliveries >= mostDeliveries) toPoison(message)
      else lease(backAfterMs)
    }
    const body: unknown = JSON.parse(message.text)
    const work = (operation: OperationContext) =>
      isPoison ? snapshots.giveUp(body, operation) : snapshots.handle(body, operation)
    // What a dead process still does in memory has no effect.
    work(operation).then(
      () => process.isAlive() && finished(),
      error => process.isAlive() && finished(error ?? new Error('rejected with nothing')),
    )
  }

  queue.onSent(message => poke(message.visibleAt - scheduler.now()))
  return {
    poke: () => poke(),
    /** How long a watch message has waited for a free worker, in milliseconds. */
    starvedMs: () =>
      Math.max(
        0,
        ...queue.messages.flatMap(each => (each.label === 'watch' ? [scheduler.now() - each.visibleAt] : [])),
      ),
  }
}
