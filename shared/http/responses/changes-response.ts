import { z } from 'zod'
import { AppError } from '../../errors.ts'
import type { ChangeFilter, FeedPosition } from '../../snapshots/changes/changes-feed.ts'
import { decodeCursor, encodeCursor } from '../paging/cursor.ts'
import { invalidParameter } from '../parameters/input.ts'

const positionSchema = z.tuple([z.string(), z.int(), z.int().nonnegative()])

const scopeOf = (filter: ChangeFilter) => ({ function: 'poll-order-changes', ...filter })

const toCursor = ({ snapshotId, part, line }: FeedPosition, filter: ChangeFilter): string =>
  encodeCursor([snapshotId, part, line], scopeOf(filter))

export function readPosition(cursor: string, filter: ChangeFilter): FeedPosition {
  const decoded = positionSchema.safeParse(decodeCursor(cursor, scopeOf(filter)))
  if (!decoded.success) throw invalidParameter('cursor', 'a cursor that this function returned')
  const [snapshotId, part, line] = decoded.data
  return { snapshotId, part, line }
}

/** `{value, cursor}`, with the changes in their stored form. */
export function changesBody(changes: readonly Buffer[], next: FeedPosition, filter: ChangeFilter): Buffer {
  const pieces: Buffer[] = [Buffer.from('{"value":[')]
  changes.forEach((change, index) => {
    if (index > 0) pieces.push(Buffer.from(','))
    pieces.push(change)
  })
  pieces.push(Buffer.from(`],"cursor":"${toCursor(next, filter)}"}`))
  return Buffer.concat(pieces)
}

/** The snapshot of the cursor was deleted, so the changes since then are unknown. `details` contains a new cursor. */
export const toExpired = (end: FeedPosition, filter: ChangeFilter): AppError =>
  new AppError(
    'cursor_expired',
    'The snapshot that this cursor refers to was deleted. Continue with the cursor in error.details, or start again without a cursor. The changes in between are in the snapshots.',
    { target: 'cursor', details: [{ target: 'cursor', message: toCursor(end, filter) }] },
  )
