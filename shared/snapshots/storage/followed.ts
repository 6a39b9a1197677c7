import { z } from 'zod'
import { parseJson } from '../../formats/json.ts'
import { followingBlob } from './layout.ts'
import type { Store } from './store.ts'

const timestampSchema = z.iso.datetime()

/** `following.json`: the state of following. */
const followedSchema = z.object({
  /** All changes in the log up to this time are recorded. */
  position: timestampSchema.optional(),
  /** When the log was last read successfully. */
  readAt: timestampSchema.optional(),
  /** When the customers in the recent log were last read, in milliseconds since 1970 UTC. */
  readings: z.record(z.string(), z.number()).default({}),
  /** The error of the last try, if it failed. */
  error: z.object({ code: z.string(), message: z.string(), at: timestampSchema }).optional(),
  /** When the last warning was logged. */
  warnedAt: timestampSchema.optional(),
})
export type Followed = z.infer<typeof followedSchema>

export type FollowedState = { followed: Followed; etag: string | undefined }

/** The error code in clouds without an activity log. */
export const logMissing = 'activity_log_missing'

const nothing: Followed = { readings: {} }

/** A damaged or missing blob means that nothing is known. */
export async function readFollowed(store: Store): Promise<FollowedState> {
  const stored = await store.read(followingBlob)
  if (stored === undefined) return { followed: nothing, etag: undefined }
  return { followed: followedSchema.safeParse(parseJson(stored.body)).data ?? nothing, etag: stored.info.etag }
}

/** Writes the state if the blob still has the version that was read. */
export const writeFollowed = async (store: Store, next: Followed, { etag }: FollowedState): Promise<boolean> =>
  (await store.write(followingBlob, JSON.stringify(next), etag === undefined ? { absent: true } : { etag })) !== false

/** If the log was not read for this long, following counts as stopped. Missed changes are then not counted. */
const mostLagMs = 60 * 60_000

/** The time up to which following should have reported all changes before a run started. */
export async function readFollowedThrough(store: Store, startedAt: string): Promise<string | undefined> {
  const { position } = (await readFollowed(store)).followed
  return position !== undefined && Date.parse(position) > Date.parse(startedAt) - mostLagMs ? position : undefined
}
