import type { Random } from './random.ts'

export type Step = { cancel: () => void }

export type Scheduler = {
  /** The true time, in milliseconds since 1970 UTC. The clock of a process can differ from it. */
  now: () => number
  after: (ms: number, action: () => void) => Step
  /** Runs step after step until there is none before `until`, or until `isEnough`. */
  run: (until: number, isEnough?: () => boolean) => Promise<void>
}

type Entry = { at: number; order: number; action: (() => void) | undefined }

/**
 * Controls time and order. Each wait of the code under test is one step here. The earliest step runs first, and the
 * seed decides between steps of the same millisecond. Before each step, everything that can continue has continued: the
 * code under test does no real input or output, so one turn of the event loop is enough.
 */
export function createScheduler(start: number, random: Random): Scheduler {
  const heap: Entry[] = []
  let now = start

  const isBefore = (a: Entry, b: Entry) => a.at < b.at || (a.at === b.at && a.order < b.order)

  function push(entry: Entry): void {
    let at = heap.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]
      if (above === undefined || !isBefore(entry, above)) break
      heap[at] = above
      at = parent
    }
    heap[at] = entry
  }

  function pop(): void {
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      const left = heap[2 * at + 1]
      const right = heap[2 * at + 2]
      const child = right !== undefined && left !== undefined && isBefore(right, left) ? 2 * at + 2 : 2 * at + 1
      const below = heap[child]
      if (below === undefined || !isBefore(below, last)) break
      heap[at] = below
      at = child
    }
    heap[at] = last
  }

  const settled = () => new Promise(resolve => setImmediate(resolve))

  return {
    now: () => now,
    after(ms, action) {
      const entry: Entry = { at: now + Math.max(0, Math.ceil(ms)), order: random.next(), action }
      push(entry)
      return {
        cancel() {
          entry.action = undefined
        },
      }
    },
    async run(until, isEnough = () => false) {
      await settled()
      while (!isEnough()) {
        const first = heap[0]
        if (first === undefined || first.at > until) {
          now = Math.max(now, until)
          return
        }
        pop()
        if (first.action === undefined) continue
        now = first.at
        first.action()
        await settled()
      }
    },
  }
}
