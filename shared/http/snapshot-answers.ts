import type { HttpRequest } from '@azure/functions'
import { z } from 'zod'
import { AppError } from '../errors.ts'
import type { Snapshot } from '../snapshots/storage/shapes.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { invalidParameter } from './input.ts'
import { linkTo, nextLink } from './links.ts'

/** Seconds after which asking again makes sense; a run takes minutes. */
const pollSeconds = 10

/** The path of a run's status; the route prefix is that of host.json. */
const statusPath = (snapshotId: string): string => `/api/snapshots/${snapshotId}`

/** The 202 pattern that Logic Apps and Power Automate follow by themselves: where to ask next, and when. */
export const statusHeaders = (request: HttpRequest, snapshotId: string): Record<string, string> => ({
  location: linkTo(request, statusPath(snapshotId)),
  'retry-after': String(pollSeconds),
})

export const snapshotRunning = (request: HttpRequest, snapshotId: string): AppError =>
  new AppError(
    'snapshot_running',
    `The snapshot ${snapshotId} is being taken. Wait for its end; Location says where to ask.`,
    {
      location: linkTo(request, statusPath(snapshotId)),
    },
  )

const scope = { function: 'list-snapshots' }

/** The id before which a page begins. Runs are only added at the front, so that this stays good. */
export function toBefore(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined
  const decoded = z.string().safeParse(decodeCursor(cursor, scope))
  if (!decoded.success) throw invalidParameter('cursor', 'one that this function gave out')
  return decoded.data
}

export function snapshotsAnswer(runs: readonly Snapshot[], hasMore: boolean, request: HttpRequest): string {
  const last = runs.at(-1)
  const more = hasMore && last !== undefined
  return JSON.stringify({
    value: runs,
    ...(more ? { nextLink: nextLink(request, encodeCursor(last.snapshotId, scope)) } : {}),
  })
}
