import * as z from 'zod'
import { snapshotIdPattern } from './layout.ts'

/** Messages of the queue. Their members are named so that none hides the queue's own metadata. */

const count = z.int().nonnegative()
const snapshotId = z.string().regex(snapshotIdPattern)

/** Looks after one run until it has ended; `committed` parts were there when the message was sent. */
const watch = z.object({
  kind: z.literal('watch'),
  snapshotId,
  nonce: z.string(),
  round: count,
  committed: count,
  /** How often it was there before its run. */
  early: count.default(0),
})

const part = z.object({
  kind: z.literal('part'),
  snapshotId,
  part: count,
  /** Which sending of the parts it belongs to; messages of the version before have none. */
  generation: count.default(0),
  /** How often the part went back to the queue because of a throttle. */
  requeued: count.default(0),
})

/** Starts the timer's run, which has waited for the run `behind` to end. */
const start = z.object({ kind: z.literal('start'), behind: snapshotId })

/** What the version before sent in place of the first watch message. */
const plan = z
  .object({ kind: z.literal('plan'), snapshotId, nonce: z.string() })
  .transform((sent): Watch => ({ ...sent, kind: 'watch', round: 0, committed: 0, early: 0 }))

type Watch = z.infer<typeof watch>

export const message = z.union([z.discriminatedUnion('kind', [watch, part, start]), plan])
export type Message = z.infer<typeof message>
export type WatchMessage = Extract<Message, { kind: 'watch' }>
export type PartMessage = Extract<Message, { kind: 'part' }>
export type StartMessage = Extract<Message, { kind: 'start' }>
