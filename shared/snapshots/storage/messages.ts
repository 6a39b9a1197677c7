import { z } from 'zod'
import { snapshotIdPattern } from './layout.ts'

/** Messages of the queue. Their members must not have names that the queue trigger uses for its own metadata. */

const count = z.int().nonnegative()
const snapshotId = z.string().regex(snapshotIdPattern)

/** Watches one run until it has ended. `committed` is the number of committed parts when the message was sent. */
const watchSchema = z.object({
  kind: z.literal('watch'),
  snapshotId,
  nonce: z.string(),
  round: count,
  committed: count,
  /** How often the message arrived before its run. */
  early: count.default(0),
})

const partSchema = z.object({
  kind: z.literal('part'),
  snapshotId,
  part: count,
  /** The generation of the part messages. Messages of the previous version have none. */
  generation: count.default(0),
  /** How often the part was requeued because of throttling. */
  requeued: count.default(0),
})

/** Starts the timer's run, which waited for the end of the run `behind`. */
const startSchema = z.object({ kind: z.literal('start'), behind: snapshotId })

/** The first message of a run in the previous version. */
const planSchema = z
  .object({ kind: z.literal('plan'), snapshotId, nonce: z.string() })
  .transform((sent): Watch => ({ ...sent, kind: 'watch', round: 0, committed: 0, early: 0 }))

type Watch = z.infer<typeof watchSchema>

export const messageSchema = z.union([z.discriminatedUnion('kind', [watchSchema, partSchema, startSchema]), planSchema])
export type Message = z.infer<typeof messageSchema>
export type WatchMessage = Extract<Message, { kind: 'watch' }>
export type PartMessage = Extract<Message, { kind: 'part' }>
export type StartMessage = Extract<Message, { kind: 'start' }>
