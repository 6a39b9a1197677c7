import { z } from 'zod'
import { parseJson } from '../formats/json.ts'
import type { Clock } from '../runtime/clock.ts'
import type { OperationContext } from '../runtime/operation.ts'

export type RateLimiter = {
  /** Resolves when the caller may send one request. Send it at once: the slot is valid only at this moment. */
  take: (operation: OperationContext) => Promise<void>
}

/** The part of storage that the limiter uses: a blob with conditional writes. */
type SharedState = {
  read: (name: string) => Promise<{ body: Buffer; info: { etag: string } } | undefined>
  write: (name: string, body: string, condition: { absent: true } | { etag: string }) => Promise<string | false>
}

type Options = {
  store: SharedState
  /** The blob that all workers share. */
  blob: string
  clock: Clock
  requestsPerMinute: number
  /** The most requests that this worker has in progress at once. */
  concurrency: number
}

const stateSchema = z.object({ next: z.number() })

/**
 * A slot that is later than this is not used. The worker takes a new slot instead. Requests therefore start within a
 * second of their reserved time, and a sliding minute never contains more than 61 seconds' worth of slots.
 */
const graceMs = 1000

/** After this many reservations without a wasted slot, a larger reservation is tried. */
const batchesBeforeIncrease = 8

/**
 * Keeps all instances together below the limit. Time is divided into equal slots, and a shared blob stores the time of
 * the first free slot. A worker reserves up to one second's worth of slots by a conditional write of a later time.
 * Unused slots are not saved: after a pause, the first free slot is now.
 */
export function createRateLimiter({ store, blob, clock, requestsPerMinute, concurrency }: Options): RateLimiter {
  const intervalMs = 60_000 / requestsPerMinute
  const maxBatchSize = Math.max(concurrency, Math.ceil(requestsPerMinute / 60))
  let batchSize = Math.max(concurrency, Math.floor(maxBatchSize / 4))
  let used = 0
  let wasted = 0
  let cleanBatches = 0
  let slots: number[] = []
  let reserving: Promise<void> | undefined

  /** Reserves as many slots as this worker used in time before, and sometimes tries a larger number. */
  function adapt(): void {
    cleanBatches = wasted > 0 ? 0 : cleanBatches + 1
    if (wasted > 0) batchSize = Math.max(1, used)
    else if (cleanBatches % batchesBeforeIncrease === 0) batchSize = Math.min(maxBatchSize, Math.ceil(batchSize * 1.1))
    used = 0
    wasted = 0
  }

  async function reserve(): Promise<void> {
    adapt()
    const count = batchSize
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
            // The reservation of another caller failed. This caller makes its own.
            if (isOurs) throw error
          })
          continue
        }
        if (slot > clock.now()) await clock.sleep(slot - clock.now(), operation.deadline.signal)
        // The slot is too late, for example because the process was suspended.
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

/** A damaged blob only loses the earlier reservations. The run continues. */
const readNext = (body: Buffer): number => stateSchema.safeParse(parseJson(body)).data?.next ?? 0
