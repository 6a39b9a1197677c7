import { isUtf8 } from 'node:buffer'

/**
 * Scans JSON as bytes, so that a response can be repaired and passed on without being parsed and serialized: numbers
 * keep their digits, dates keep their text, and one pass over the bytes is faster than `JSON.parse` alone. Accepts the
 * same texts as `JSON.parse`, up to `maxDepth`.
 *
 * The scan records the byte ranges to remove: white space outside of texts, and members whose value is null.
 */

/** The deepest nesting. It is far above that of any resource of Partner Center. */
export const maxDepth = 256

/** The longest array or object. It is far above any list of Partner Center, and limits the memory. */
const maxElements = 200_000

/** The most values in one order, or in one body that is parsed as a whole. They take about 200 MB once parsed. */
const maxValues = 2_000_000

/** The most byte ranges to remove from one order. */
const maxCuts = 1_000_000

/** Byte ranges to remove: alternating start and end, ascending, without overlaps. */
type Cuts = number[]

/** Handles the members of one object. In nested objects, only null members are removed. */
type MemberReader = {
  /** Called after the value of a member is scanned. Returns true to remove the member. */
  onMember: (scanner: Scanner, member: Member) => boolean
  /** Can scan the value of a member itself, and then returns its end. */
  scanMember?: (scanner: Scanner, member: Member, depth: number) => number | undefined
}

/** The byte range of a member. */
export type Member = { keyStart: number; keyEnd: number; start: number; end: number }

export type Scanner = {
  bytes: Buffer
  cuts: Cuts
  /** The number of objects directly in the array that was scanned last. */
  elements: number
  /** The number of values since it was last set to 0. */
  values: number
}

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const minus = 0x2d
const letterN = 0x6e

export const startsObject = (byte: number | undefined): boolean => byte === openBrace
export const startsArray = (byte: number | undefined): boolean => byte === openBracket
export const startsNull = (byte: number | undefined): boolean => byte === letterN

/** A scanner for a whole body. A byte-order mark is skipped, and invalid UTF-8 is replaced. */
export function createScanner(body: Buffer): { scanner: Scanner; start: number } {
  const bytes = isUtf8(body) ? body : Buffer.from(body.toString('utf8'))
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  return { scanner: { bytes, cuts: [], elements: 0, values: 0 }, start }
}

export function fail(position: number): never {
  throw new SyntaxError(`Not JSON at byte ${position}`)
}

function failTooLarge(what: string): never {
  throw new RangeError(`The JSON holds too many ${what}`)
}

const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

export function skipSpace(scanner: Scanner, position: number): number {
  const { bytes } = scanner
  if ((bytes[position] as number) > 0x20 || !isSpace(bytes[position])) return position
  let end = position + 1
  while (isSpace(bytes[end])) end++
  scanner.cuts.push(position, end)
  if (scanner.cuts.length > 2 * maxCuts) failTooLarge('gaps')
  return end
}

/** 1 for each byte that ends a run of plain characters in a text: the quote, an escape, and invalid characters. */
const endsRun = new Uint8Array(256).fill(1, 0, 0x20)
endsRun[quote] = 1
endsRun[backslash] = 1

function skipText(bytes: Buffer, position: number): number {
  for (let at = position + 1; ; at++) {
    while (endsRun[bytes[at] as number] === 0) at++
    const byte = bytes[at]
    if (byte === quote) return at + 1
    if (byte !== backslash) fail(at)
    at = skipEscape(bytes, at)
  }
}

/** The position of the last byte of the escape at `position`. */
function skipEscape(bytes: Buffer, position: number): number {
  const letter = bytes[position + 1] as number
  if (letter !== 0x75) return '"\\/bfnrt'.includes(String.fromCharCode(letter)) ? position + 1 : fail(position)
  for (let at = position + 2; at < position + 6; at++) if (!isHexDigit(bytes[at])) fail(at)
  return position + 5
}

const isHexDigit = (byte: number | undefined): boolean =>
  byte !== undefined && ((byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66))

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39

function skipDigits(bytes: Buffer, position: number): number {
  if (!isDigit(bytes[position])) fail(position)
  let at = position + 1
  while (isDigit(bytes[at])) at++
  return at
}

function skipNumber(bytes: Buffer, position: number): number {
  let at = bytes[position] === minus ? position + 1 : position
  at = bytes[at] === 0x30 ? at + 1 : skipDigits(bytes, at)
  if (bytes[at] === 0x2e) at = skipDigits(bytes, at + 1)
  if (((bytes[at] as number) | 0x20) === 0x65) {
    const sign = bytes[at + 1]
    at = skipDigits(bytes, sign === 0x2b || sign === minus ? at + 2 : at + 1)
  }
  return at
}

function skipLiteral(bytes: Buffer, position: number, literal: string): number {
  for (let index = 0; index < literal.length; index++) {
    if (bytes[position + index] !== literal.charCodeAt(index)) fail(position + index)
  }
  return position + literal.length
}

/** Scans the value at `position` and returns its end. */
export function scanValue(scanner: Scanner, position: number, depth = 0): number {
  const { bytes } = scanner
  if (++scanner.values > maxValues) failTooLarge('values')
  switch (bytes[position]) {
    case quote:
      return skipText(bytes, position)
    case openBrace:
      return scanObject(scanner, position, depth)
    case openBracket:
      return scanArray(scanner, position, depth)
    case 0x74:
      return skipLiteral(bytes, position, 'true')
    case 0x66:
      return skipLiteral(bytes, position, 'false')
    case letterN:
      return skipLiteral(bytes, position, 'null')
    default:
      return skipNumber(bytes, position)
  }
}

type ScanElement = (scanner: Scanner, position: number, depth: number) => number

export function scanArray(scanner: Scanner, position: number, depth = 0, element: ScanElement = scanValue): number {
  if (depth >= maxDepth) fail(position)
  const { bytes } = scanner
  let objects = 0
  let elements = 0
  let at = skipSpace(scanner, position + 1)
  if (bytes[at] === closeBracket) {
    scanner.elements = 0
    return at + 1
  }
  for (;;) {
    if (++elements > maxElements) failTooLarge('elements')
    if (bytes[at] === openBrace) objects++
    at = skipSpace(scanner, element(scanner, at, depth + 1))
    const byte = bytes[at]
    if (byte === closeBracket) break
    if (byte !== comma) fail(at)
    at = skipSpace(scanner, at + 1)
  }
  scanner.elements = objects
  return at + 1
}

/**
 * Scans one object and records a cut for each member to remove, together with one comma. A cut starts at the end of the
 * last kept member (`cutFrom`). So the comma on its left is removed, and the comma on its right stays:
 *
 *     {"a":1,"b":null,"c":2}    cut [6,15)  ->  {"a":1,"c":2}
 *
 * Without a kept member on the left, the cut starts after the brace and ends at the next key. The comma on its right is
 * removed instead:
 *
 *     {"a":null,"b":2}          cut [1,10)  ->  {"b":2}
 *     {"a":null}                cut [1,9)   ->  {}
 *
 * A cut replaces the cuts within its range, such as those for white space (`cutsBefore`). Consecutive removals start at
 * the same `cutFrom`, so each one replaces the cut before it.
 */
export function scanObject(scanner: Scanner, position: number, depth = 0, reader?: MemberReader): number {
  if (depth >= maxDepth) fail(position)
  const { bytes, cuts } = scanner
  let members = 0
  // The start of the next cut: the end of the last kept member, or the start of the object.
  let cutFrom = position + 1
  let cutsBefore = cuts.length
  let kept = false
  let dropped = false

  let at = skipSpace(scanner, position + 1)
  if (bytes[at] === closeBrace) return at + 1
  for (;;) {
    if (bytes[at] !== quote) fail(at)
    if (++members > maxElements) failTooLarge('members')
    // No member is kept on the left, so the cut ends at this key and includes the comma before it.
    if (dropped && !kept) replaceCuts(cuts, cutsBefore, cutFrom, at)
    const keyStart = at
    const keyEnd = skipText(bytes, at)
    at = skipSpace(scanner, keyEnd)
    if (bytes[at] !== colon) fail(at)
    at = skipSpace(scanner, at + 1)
    const start = at
    let drop = bytes[start] === letterN
    if (reader === undefined) at = scanValue(scanner, start, depth + 1)
    else {
      const member: Member = { keyStart, keyEnd, start, end: start }
      at = reader.scanMember?.(scanner, member, depth + 1) ?? scanValue(scanner, start, depth + 1)
      member.end = at
      drop = reader.onMember(scanner, member) || drop
    }
    if (drop) {
      dropped = true
      if (kept) replaceCuts(cuts, cutsBefore, cutFrom, at)
    } else {
      kept = true
      cutFrom = at
      cutsBefore = cuts.length
    }
    at = skipSpace(scanner, at)
    const byte = bytes[at]
    if (byte === closeBrace) break
    if (byte !== comma) fail(at)
    at = skipSpace(scanner, at + 1)
  }
  if (dropped && !kept) replaceCuts(cuts, cutsBefore, cutFrom, at)
  return at + 1
}

/** Replaces all cuts from index `count` on by one cut. */
function replaceCuts(cuts: Cuts, count: number, start: number, end: number): void {
  cuts.length = count
  cuts.push(start, end)
}

/** The text from the quote at `start` to the quote before `end`. */
export function readText(bytes: Buffer, start: number, end: number): string {
  for (let at = start + 1; at < end - 1; at++) {
    const byte = bytes[at] as number
    if (byte === backslash) return JSON.parse(bytes.toString('utf8', start, end)) as string
    if (byte >= 0x80) return readWideText(bytes, start, end)
  }
  return bytes.toString('latin1', start + 1, end - 1)
}

function readWideText(bytes: Buffer, start: number, end: number): string {
  const raw = bytes.toString('utf8', start, end)
  return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1)
}

/**
 * The bytes from `start` to `end` without the cuts from index `firstCut` on. The kept bytes are moved together within
 * the scanned buffer, which saves a copy. The range must not be read again.
 */
export function withoutCuts({ bytes, cuts }: Scanner, start: number, end: number, firstCut: number): Buffer {
  if (cuts.length === firstCut) return bytes.subarray(start, end)
  let kept = cuts[firstCut] as number
  for (let index = firstCut; index < cuts.length; index += 2) {
    const from = cuts[index + 1] as number
    const to = cuts[index + 2] ?? end
    bytes.copyWithin(kept, from, to)
    kept += to - from
  }
  return bytes.subarray(start, kept)
}

/**
 * `JSON.parse` for a body from outside, after a check of its size once parsed, because a few bytes can represent many
 * objects. A byte-order mark is skipped. Throws a `SyntaxError` if the body is not JSON, and a `RangeError` if it has
 * too many values.
 */
export function parseBounded(body: Buffer): unknown {
  const { scanner, start } = createScanner(body)
  const end = skipSpace(scanner, scanValue(scanner, skipSpace(scanner, start)))
  if (end !== scanner.bytes.length) fail(end)
  return JSON.parse(scanner.bytes.toString('utf8', start))
}
