import type { HttpRequest } from '@azure/functions'
import * as z from 'zod'
import { AppError } from '../../errors.ts'
import type { Snapshot } from '../../snapshots/storage/shapes.ts'
import { decodeCursor, encodeCursor } from '../paging/cursor.ts'
import { linkTo, nextLink } from '../paging/links.ts'
import { invalidParameter } from '../parameters/input.ts'

/** The suggested seconds between two requests for the status. A run takes minutes. */
export const pollSeconds = 10

/** The path of the status. Its prefix is the `routePrefix` of host.json. */
const statusPath = (snapshotId: string): string => `/api/snapshots/${snapshotId}`

/**
 * The headers of a 202: the address of the status, and the wait before the next request. Logic Apps and Power Automate
 * follow them automatically.
 */
export const statusHeaders = (request: HttpRequest, snapshotId: string): Record<string, string> => ({
  location: linkTo(request, statusPath(snapshotId)),
  'retry-after': String(pollSeconds),
})

export const snapshotRunning = (request: HttpRequest, snapshotId: string): AppError =>
  new AppError(
    'snapshot_running',
    `The snapshot ${snapshotId} is running. Wait until it ends. The Location header has the address of its status.`,
    {
      location: linkTo(request, statusPath(snapshotId)),
    },
  )

const scope = { function: 'list-snapshots' }

/** The id before which a page starts. New runs are only added at the front, so the position stays valid. */
export function toBefore(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined
  const decoded = z.string().safeParse(decodeCursor(cursor, scope))
  if (!decoded.success) throw invalidParameter('cursor', 'a cursor that this function returned')
  return decoded.data
}

export function snapshotsBody(runs: readonly Snapshot[], hasMore: boolean, request: HttpRequest): string {
  const last = runs.at(-1)
  const more = hasMore && last !== undefined
  return JSON.stringify({
    value: runs,
    ...(more ? { nextLink: nextLink(request, encodeCursor(last.snapshotId, scope)) } : {}),
  })
}
