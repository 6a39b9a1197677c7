import { createHash } from 'node:crypto'
import type { HttpRequest } from '@azure/functions'
import { z } from 'zod'
import { invalidParameter } from '../parameters/input.ts'
import { type CursorScope, cursorExpired, decodeCursor, encodeCursor } from './cursor.ts'
import { nextLink } from './links.ts'

/** A list in a fixed order, of which one page is returned. */
export type PagedList = {
  length: number
  /** Bytes that represent the first `count` rows. They are equal if and only if those rows are equal. */
  prefix: (count: number) => Iterable<string | Uint8Array>
}

/** The number of rows on earlier pages, and their fingerprint. */
const positionSchema = z.tuple([z.int().nonnegative(), z.string()])

function fingerprint(list: PagedList, count: number): string {
  const hash = createHash('sha256')
  for (const piece of list.prefix(count)) hash.update(piece)
  return hash.digest('base64url').slice(0, 22)
}

type PageRange = { from: number; to: number; nextLink?: string }

type TakePage = (list: PagedList) => PageRange

/**
 * Checks the cursor of a request before the list is read. Returns a function that selects the rows of the page. A
 * cursor stays valid as long as the rows before it are unchanged. Rows can be added at the end: then all pages together
 * are the list as it is at the last page. If an earlier row has changed, the cursor has expired (410).
 */
export function preparePage(
  { top, cursor }: { top: number; cursor?: string | undefined },
  scope: CursorScope,
  request: HttpRequest,
): TakePage {
  const decoded = positionSchema.safeParse(cursor === undefined ? [0, ''] : decodeCursor(cursor, scope))
  if (!decoded.success) throw invalidParameter('cursor', 'a cursor that this function returned')
  const [from, fingerprintBefore] = decoded.data
  return list => {
    if (from > list.length || (cursor !== undefined && fingerprint(list, from) !== fingerprintBefore))
      throw cursorExpired()
    const to = Math.min(from + top, list.length)
    if (to === list.length) return { from, to }
    return { from, to, nextLink: nextLink(request, encodeCursor([to, fingerprint(list, to)], scope)) }
  }
}
