import { z } from 'zod'
import { snapshotIdPattern } from './layout.ts'

/** Messages of the queue. Their members must not have names that the queue trigger uses for its own metadata. */

const count = z.int().nonnegative()
const snapshotId = z.string().regex(snapshotIdPattern)

/** Watches one run until it has ended. `committed` is the number of committed parts when the message was sent. */
const watch = z.object({
  kind: z.literal('watch'),
  snapshotId,
  nonce: z.string(),
  round: count,
  committed: count,
  /** How often the message arrived before its run. */
  early: count.default(0),
})

const part = z.object({
  kind: z.literal('part'),
  snapshotId,
  part: count,
  /** The generation of the part messages. Messages of the previous version have none. */
  generation: count.default(0),
  /** How often the part was requeued because of throttling. */
  requeued: count.default(0),
})

/** Starts the timer's run, which waited for the end of the run `behind`. */
const start = z.object({ kind: z.literal('start'), behind: snapshotId })

/** The first message of a run in the previous version. */
const plan = z
  .object({ kind: z.literal('plan'), snapshotId, nonce: z.string() })
  .transform((sent): Watch => ({ ...sent, kind: 'watch', round: 0, committed: 0, early: 0 }))

type Watch = z.infer<typeof watch>

export const message = z.union([z.discriminatedUnion('kind', [watch, part, start]), plan])
export type Message = z.infer<typeof message>
export type WatchMessage = Extract<Message, { kind: 'watch' }>
export type PartMessage = Extract<Message, { kind: 'part' }>
export type StartMessage = Extract<Message, { kind: 'start' }>
