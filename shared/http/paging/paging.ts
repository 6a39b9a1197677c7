import { createHash } from 'node:crypto'
import type { HttpRequest } from '@azure/functions'
import * as z from 'zod'
import { invalidParameter } from '../parameters/input.ts'
import { type CursorScope, cursorExpired, decodeCursor, encodeCursor } from './cursor.ts'
import { nextLink } from './links.ts'

/** A list in its fixed order, of which one page is answered. */
export type PagedList = {
  length: number
  /** Bytes that stand for the first `count` rows: equal if and only if those rows are equal. */
  prefix: (count: number) => Iterable<string | Uint8Array>
}

/** How many rows were given out before, and what they were. */
const position = z.tuple([z.int().nonnegative(), z.string()])

function fingerprint(list: PagedList, count: number): string {
  const hash = createHash('sha256')
  for (const piece of list.prefix(count)) hash.update(piece)
  return hash.digest('base64url').slice(0, 22)
}

export type PageRange = { from: number; to: number; nextLink?: string }

export type TakePage = (list: PagedList) => PageRange

/**
 * Checks the cursor of a request, before anything is read for it, and returns what finds the rows that answer it. A
 * cursor stays good as long as the rows before it are what they were: new rows at the end do no harm, and all pages
 * together are the list as it stands with the last one. Otherwise it has expired (410).
 */
export function openPage(
  { top, cursor }: { top: number; cursor?: string | undefined },
  scope: CursorScope,
  request: HttpRequest,
): TakePage {
  const decoded = position.safeParse(cursor === undefined ? [0, ''] : decodeCursor(cursor, scope))
  if (!decoded.success) throw invalidParameter('cursor', 'one that this function gave out')
  const [from, seen] = decoded.data
  return list => {
    if (from > list.length || (cursor !== undefined && fingerprint(list, from) !== seen)) throw cursorExpired()
    const to = Math.min(from + top, list.length)
    if (to === list.length) return { from, to }
    return { from, to, nextLink: nextLink(request, encodeCursor([to, fingerprint(list, to)], scope)) }
  }
}
