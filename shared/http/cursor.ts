import { createHash, timingSafeEqual } from 'node:crypto'
import { AppError } from '../errors.ts'
import { invalidParameter } from './input.ts'

/** What a cursor belongs to: it is of no use to another function, another customer or with other filters. */
export type CursorScope = { function: string; [parameter: string]: unknown }

const checksumBytes = 12

/** Filters in a fixed order, those that are absent left out, so that equal requests have equal scopes. */
const canonical = (scope: CursorScope): string =>
  JSON.stringify(
    Object.entries(scope)
      .filter(([, value]) => value !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )

const checksum = (payload: Buffer, scope: CursorScope): Buffer =>
  createHash('sha256').update(canonical(scope)).update('\0').update(payload).digest().subarray(0, checksumBytes)

/** An opaque text for `position`. It holds no secret; the checksum tells an edited or misplaced one from a good one. */
export function encodeCursor(position: unknown, scope: CursorScope): string {
  const payload = Buffer.from(JSON.stringify(position))
  return Buffer.concat([checksum(payload, scope), payload]).toString('base64url')
}

/** The position that `encodeCursor` was given. Throws `invalid_request` for anything it did not make for this scope. */
export function decodeCursor(text: string, scope: CursorScope): unknown {
  const bytes = Buffer.from(text, 'base64url')
  const payload = bytes.subarray(checksumBytes)
  const isOurs =
    bytes.length > checksumBytes &&
    bytes.toString('base64url') === text &&
    timingSafeEqual(bytes.subarray(0, checksumBytes), checksum(payload, scope))
  if (!isOurs) {
    throw invalidParameter('cursor', 'one that this function gave out for the same customer and filters, unchanged')
  }
  return JSON.parse(payload.toString('utf8'))
}

export const cursorExpired = (): AppError =>
  new AppError(
    'cursor_expired',
    'The list has changed since this cursor was given out. Start again without a cursor.',
    { target: 'cursor' },
  )
