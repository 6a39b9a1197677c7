import type { Call } from '../call.ts'
import type { Clock } from '../clock.ts'
import { paceBlob } from './layout.ts'
import { pace as paceShape } from './shapes.ts'
import type { Store } from './store.ts'

export type Pace = {
  /** Resolves when the caller may send one request. */
  take: (call: Call) => Promise<void>
  /** Announces that about `calls` more requests are coming, so that no more time is reserved than is used. */
  expect: (calls: number) => void
}

type Options = {
  store: Store
  clock: Clock
  requestsPerMinute: number
  /** Requests that this worker has under way at once. */
  concurrency: number
}

/**
 * A slot that is this late is given up for a new one. Requests thus start within a second of their reserved time, and no
 * sliding minute holds more than 61 seconds' worth of slots, whatever hangs, is late or is repeated.
 */
const graceMs = 1000

/** Reservations without a wasted slot after which a larger one is tried. */
const patientBatches = 8

/**
 * Keeps all instances together under the pace: time is cut into equal slots, and `pace.json` says from when on they are
 * free. A worker reserves about a second's worth at once by moving that instant on, if nobody else did meanwhile. No
 * slot is saved up: after a pause the first free one is now.
 */
export function createPace({ store, clock, requestsPerMinute, concurrency }: Options): Pace {
  const intervalMs = 60_000 / requestsPerMinute
  const mostAtOnce = Math.max(concurrency, Math.ceil(requestsPerMinute / 60))
  let atOnce = Math.max(concurrency, Math.floor(mostAtOnce / 4))
  let used = 0
  let wasted = 0
  let cleanBatches = 0
  let slots: number[] = []
  let expected = 0
  let reserving: Promise<void> | undefined

  /** Reserves as many as this worker gets used up in time, and now and then tries whether it manages more. */
  function adapt(): void {
    cleanBatches = wasted > 0 ? 0 : cleanBatches + 1
    if (wasted > 0) atOnce = Math.max(1, used)
    else if (cleanBatches % patientBatches === 0) atOnce = Math.min(mostAtOnce, Math.ceil(atOnce * 1.1))
    used = 0
    wasted = 0
  }

  async function reserve(): Promise<void> {
    adapt()
    const count = Math.min(atOnce, Math.max(1, expected))
    for (let tries = 0; ; tries++) {
      const present = await store.read(paceBlob)
      const first = Math.max(clock.now(), present === undefined ? 0 : readNext(present.body))
      const written = await store.write(paceBlob, JSON.stringify({ next: first + count * intervalMs }), {
        ...(present === undefined ? { absent: true } : { etag: present.info.etag }),
      })
      if (written !== false) {
        slots = Array.from({ length: count }, (_, index) => first + index * intervalMs)
        return
      }
      await clock.sleep(clock.random() * Math.min(1000, 20 * 2 ** tries))
    }
  }

  return {
    expect(calls) {
      expected += calls
    },
    async take(call) {
      for (;;) {
        const slot = slots.shift()
        if (slot === undefined) {
          reserving ??= reserve().finally(() => {
            reserving = undefined
          })
          await reserving
          continue
        }
        if (slot < clock.now() - graceMs) {
          wasted++
          continue
        }
        used++
        expected = Math.max(0, expected - 1)
        if (slot > clock.now()) await clock.sleep(slot - clock.now(), call.deadline.signal)
        return
      }
    },
  }
}

/** A damaged blob costs the memory of what was reserved, not the run. */
function readNext(body: Buffer): number {
  try {
    return paceShape.parse(JSON.parse(body.toString('utf8'))).next
  } catch {
    return 0
  }
}
