import * as z from 'zod'
import type { Clock } from '../runtime/clock.ts'
import type { OperationContext } from '../runtime/operation.ts'

export type RateLimiter = {
  /** Resolves when the caller may send one request. Send it at once: the slot is good for this moment only. */
  take: (operation: OperationContext) => Promise<void>
}

/** What the limiter needs of storage: a blob that changes only if nobody else changed it meanwhile. */
export type SharedState = {
  read: (name: string) => Promise<{ body: Buffer; info: { etag: string } } | undefined>
  write: (name: string, body: string, condition: { absent: true } | { etag: string }) => Promise<string | false>
}

type Options = {
  store: SharedState
  /** The blob that all workers share. */
  blob: string
  clock: Clock
  requestsPerMinute: number
  /** Requests that this worker has under way at once. */
  concurrency: number
}

const shared = z.object({ next: z.number() })

/**
 * A slot that is this late is given up for a new one. Requests thus start within a second of their reserved time, and no
 * sliding minute holds more than 61 seconds' worth of slots, whatever hangs, is late or is repeated.
 */
const graceMs = 1000

/** Reservations without a wasted slot after which a larger one is tried. */
const patientBatches = 8

/**
 * Keeps all instances together under the limit: time is cut into equal slots, and a shared blob says from when on they
 * are free. A worker reserves up to a second's worth at once by moving that time on, if nobody else did meanwhile. No
 * slot is saved up: after a pause the first free one is now.
 */
export function createRateLimiter({ store, blob, clock, requestsPerMinute, concurrency }: Options): RateLimiter {
  const intervalMs = 60_000 / requestsPerMinute
  const mostAtOnce = Math.max(concurrency, Math.ceil(requestsPerMinute / 60))
  let atOnce = Math.max(concurrency, Math.floor(mostAtOnce / 4))
  let used = 0
  let wasted = 0
  let cleanBatches = 0
  let slots: number[] = []
  let reserving: Promise<void> | undefined

  /** Reserves as many as this worker uses in time, and now and then tries whether it can use more. */
  function adapt(): void {
    cleanBatches = wasted > 0 ? 0 : cleanBatches + 1
    if (wasted > 0) atOnce = Math.max(1, used)
    else if (cleanBatches % patientBatches === 0) atOnce = Math.min(mostAtOnce, Math.ceil(atOnce * 1.1))
    used = 0
    wasted = 0
  }

  async function reserve(): Promise<void> {
    adapt()
    const count = atOnce
    for (let tries = 0; ; tries++) {
      const present = await store.read(blob)
      const first = Math.max(clock.now(), present === undefined ? 0 : readNext(present.body))
      const condition = present === undefined ? { absent: true as const } : { etag: present.info.etag }
      const written = await store.write(blob, JSON.stringify({ next: first + count * intervalMs }), condition)
      if (written !== false) {
        slots = Array.from({ length: count }, (_, index) => first + index * intervalMs)
        return
      }
      await clock.sleep(clock.random() * Math.min(1000, 20 * 2 ** tries))
    }
  }

  return {
    async take(operation) {
      for (;;) {
        operation.deadline.signal.throwIfAborted()
        const slot = slots.shift()
        if (slot === undefined) {
          const isOurs = reserving === undefined
          reserving ??= reserve().finally(() => {
            reserving = undefined
          })
          await reserving.catch(error => {
            // Another's failure, or the end of its work, is no reason to give up.
            if (isOurs) throw error
          })
          continue
        }
        if (slot > clock.now()) await clock.sleep(slot - clock.now(), operation.deadline.signal)
        // Too late, also if the worker stood still while it waited.
        if (slot < clock.now() - graceMs) {
          wasted++
          continue
        }
        used++
        return
      }
    },
  }
}

/** A damaged blob costs the memory of what was reserved, not the run. */
function readNext(body: Buffer): number {
  try {
    return shared.parse(JSON.parse(body.toString('utf8'))).next
  } catch {
    return 0
  }
}
