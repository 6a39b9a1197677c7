import { createHash, timingSafeEqual } from 'node:crypto'
import { AppError } from '../../errors.ts'
import { invalidParameter } from '../parameters/input.ts'

/** What a cursor belongs to. It is not valid for another function, another customer or other filters. */
export type CursorScope = { function: string; [parameter: string]: unknown }

const checksumBytes = 12

/** The filters in a fixed order, without the absent ones, so that equal requests have equal scopes. */
const canonical = (scope: CursorScope): string =>
  JSON.stringify(
    Object.entries(scope)
      .filter(([, value]) => value !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )

const checksum = (payload: Buffer, scope: CursorScope): Buffer =>
  createHash('sha256').update(canonical(scope)).update('\0').update(payload).digest().subarray(0, checksumBytes)

/** Encodes `position` as opaque text. It contains no secret. The checksum detects an edited or misplaced cursor. */
export function encodeCursor(position: unknown, scope: CursorScope): string {
  const payload = Buffer.from(JSON.stringify(position))
  return Buffer.concat([checksum(payload, scope), payload]).toString('base64url')
}

/** The decoded position. Throws `invalid_request` if `encodeCursor` did not create the text for this scope. */
export function decodeCursor(text: string, scope: CursorScope): unknown {
  const bytes = Buffer.from(text, 'base64url')
  const payload = bytes.subarray(checksumBytes)
  const isOurs =
    bytes.length > checksumBytes &&
    bytes.toString('base64url') === text &&
    timingSafeEqual(bytes.subarray(0, checksumBytes), checksum(payload, scope))
  if (!isOurs) {
    throw invalidParameter(
      'cursor',
      'an unchanged cursor that this function returned for the same customer and filters',
    )
  }
  return JSON.parse(payload.toString('utf8'))
}

export const cursorExpired = (): AppError =>
  new AppError('cursor_expired', 'The list changed after this cursor was returned. Start again without a cursor.', {
    target: 'cursor',
  })
