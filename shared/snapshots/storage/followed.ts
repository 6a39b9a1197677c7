import * as z from 'zod'
import { followingBlob } from './layout.ts'
import type { Store } from './store.ts'

const instant = z.iso.datetime()

/** `following.json`: how far the activity log was followed. */
export const followed = z.object({
  /** Everything that the log says until then is told. */
  position: instant.optional(),
  /** When the log could last be read. */
  readAt: instant.optional(),
  /** When customers of whom the log has told lately were last read, in milliseconds since 1970 UTC. */
  readings: z.record(z.string(), z.number()).default({}),
  /** Why the log could not be read the last time. */
  error: z.object({ code: z.string(), message: z.string(), at: instant }).optional(),
  /** When somebody was last warned of that. */
  warnedAt: instant.optional(),
})
export type Followed = z.infer<typeof followed>

export type FollowedState = { followed: Followed; etag: string | undefined }

/** The code of the error in clouds whose Partner Center keeps no activity log. */
export const logMissing = 'activity_log_missing'

const nothing: Followed = { readings: {} }

/** Damaged or missing means that nothing is known. */
export async function readFollowed(store: Store): Promise<FollowedState> {
  const stored = await store.read(followingBlob)
  if (stored === undefined) return { followed: nothing, etag: undefined }
  return { followed: parse(stored.body) ?? nothing, etag: stored.info.etag }
}

function parse(body: Buffer): Followed | undefined {
  try {
    return followed.safeParse(JSON.parse(body.toString('utf8'))).data
  } catch {
    return undefined
  }
}

/** Writes it if it is still the version that was read. */
export const writeFollowed = async (store: Store, next: Followed, { etag }: FollowedState): Promise<boolean> =>
  (await store.write(followingBlob, JSON.stringify(next), etag === undefined ? { absent: true } : { etag })) !== false

/** A log that was not read for so long is not followed: nobody can say what should have been told. */
const mostLagMs = 60 * 60_000

/** Up to when changes should have been told when a run started. */
export async function readFollowedThrough(store: Store, startedAt: string): Promise<string | undefined> {
  const { position } = (await readFollowed(store)).followed
  return position !== undefined && Date.parse(position) > Date.parse(startedAt) - mostLagMs ? position : undefined
}
