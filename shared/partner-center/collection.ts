import {
  createScanner,
  fail,
  readText,
  type Scanner,
  scanArray,
  scanObject,
  scanValue,
  skipSpace,
  startsArray,
  startsNull,
  startsObject,
  withoutCuts,
} from './json-bytes.ts'

/**
 * An order in its original bytes, with the repairs that callers need: null members and white space removed, and
 * `lineItems` always an array. Only the members for sorting, filtering and counting are parsed.
 */
export type OrderBytes = {
  json: Buffer
  /** Empty if the order has none. */
  id: string
  /** The original text of Partner Center, in any of its formats. */
  creationDate: string | undefined
  status: string | undefined
  billingCycle: string | undefined
  transactionType: string | undefined
  /** The number of order lines: the objects in `lineItems`. */
  lines: number
}

/** A root member of a collection, passed on in its original form. */
export type EnvelopeMember = { key: string; json: Buffer }

export type Collection = { items: OrderBytes[]; envelope: EnvelopeMember[] }

/** Reads a collection of orders. Throws a `SyntaxError` if the body is not JSON or not a collection. */
export function readOrderCollection(body: Buffer): Collection {
  const { scanner, start } = createScanner(body)
  const { bytes } = scanner
  const items: OrderBytes[] = []
  // If a name is repeated, the last one counts, as in JSON.parse.
  const envelope = new Map<string, Buffer>()
  let hasItems = false
  const root = skipSpace(scanner, start)
  if (!startsObject(bytes[root])) fail(root)

  const end = scanObject(scanner, root, 0, {
    onMember(_, { keyStart, keyEnd, start, end }) {
      const key = readText(bytes, keyStart, keyEnd)
      if (key === 'items') hasItems = startsArray(bytes[start])
      else if (startsNull(bytes[start])) envelope.delete(key)
      else envelope.set(key, copyValue(scanner, start, end))
      return false
    },
    scanMember(_, { keyStart, keyEnd, start }, depth) {
      if (!startsArray(bytes[start]) || readText(bytes, keyStart, keyEnd) !== 'items') return undefined
      items.length = 0
      return scanArray(scanner, start, depth, (_, position, depth) => {
        const item = readItem(scanner, position, depth)
        items.push(item.order)
        return item.end
      })
    },
  })
  const rest = skipSpace(scanner, end)
  if (rest !== bytes.length) fail(rest)
  if (!hasItems) fail(end)
  return { items, envelope: Array.from(envelope, ([key, json]) => ({ key, json })) }
}

/** Reads a body that is one order. Throws a `SyntaxError` if it is no JSON object. */
export function readOrder(body: Buffer): OrderBytes {
  const { scanner, start } = createScanner(body)
  const at = skipSpace(scanner, start)
  if (!startsObject(scanner.bytes[at])) fail(at)
  const { order, end } = readItem(scanner, at, 0)
  const rest = skipSpace(scanner, end)
  if (rest !== scanner.bytes.length) fail(rest)
  return order
}

/** A JSON object without one of its members. The other members keep their bytes. */
export function withoutMember(json: Buffer, name: string): Buffer {
  const scanner: Scanner = { bytes: json, cuts: [], elements: 0, values: 0 }
  const end = scanObject(scanner, 0, 0, {
    onMember: (_, { keyStart, keyEnd }) => readText(json, keyStart, keyEnd) === name,
  })
  return withoutCuts(scanner, 0, end, 0)
}

/**
 * The elements of `items` of any other collection, with the same repairs, and its links. Throws if there are no items.
 */
export function readItems(body: Buffer): { items: Buffer; links: Buffer | undefined } {
  const { scanner, start } = createScanner(body)
  const root = skipSpace(scanner, start)
  if (!startsObject(scanner.bytes[root])) fail(root)
  let items: Buffer | undefined
  let links: Buffer | undefined
  const end = scanObject(scanner, root, 0, {
    onMember({ bytes }, { keyStart, keyEnd, start, end }) {
      const key = readText(bytes, keyStart, keyEnd)
      if (key === 'items' && startsArray(bytes[start])) items = copyValue(scanner, start, end)
      if (key === 'links') links = copyValue(scanner, start, end)
      return false
    },
  })
  const rest = skipSpace(scanner, end)
  if (rest !== scanner.bytes.length || items === undefined) fail(rest)
  return { items: items.subarray(1, -1), links }
}

/** 1 for the first letters of the keys that are read below, and for an escape. Other keys are not converted to text. */
const mayBeRead = new Uint8Array(256)
for (const byte of Buffer.from('icsbtl\\')) mayBeRead[byte] = 1

/** Reads an element of `items`: an order, or null, which is kept. */
function readItem(scanner: Scanner, start: number, depth: number): { order: OrderBytes; end: number } {
  const { bytes } = scanner
  const order: OrderBytes = {
    json: bytes,
    id: '',
    creationDate: undefined,
    status: undefined,
    billingCycle: undefined,
    transactionType: undefined,
    lines: 0,
  }
  if (startsNull(bytes[start])) {
    const end = scanValue(scanner, start, depth)
    order.json = bytes.subarray(start, end)
    return { order, end }
  }
  if (!startsObject(bytes[start])) fail(start)
  const firstCut = scanner.cuts.length
  scanner.values = 0
  let hasLineItems = false
  let members = 0

  const end = scanObject(scanner, start, depth, {
    onMember({ elements }, { keyStart, keyEnd, start, end }) {
      if (startsNull(bytes[start])) return true
      const key = mayBeRead[bytes[keyStart + 1] as number] === 1 ? readText(bytes, keyStart, keyEnd) : ''
      switch (key) {
        case 'id':
          order.id = readScalar(bytes, start, end) ?? ''
          break
        case 'creationDate':
        case 'status':
        case 'billingCycle':
        case 'transactionType':
          order[key] = readScalar(bytes, start, end)
          break
        case 'lineItems':
          if (!startsArray(bytes[start])) return true
          hasLineItems = true
          order.lines = elements
      }
      members++
      return false
    },
  })
  const json = withoutCuts(scanner, start, end, firstCut)
  order.json = hasLineItems ? json : appendMember(json, members > 0, '"lineItems":[]')
  scanner.cuts.length = firstCut
  return { order, end }
}

const isText = (byte: number | undefined): boolean => byte === 0x22

const isNumber = (byte: number | undefined): boolean =>
  byte === 0x2d || (byte !== undefined && byte >= 0x30 && byte <= 0x39)

/** A text, or a number as text. Undefined for other values. */
function readScalar(bytes: Buffer, start: number, end: number): string | undefined {
  if (isText(bytes[start])) return readText(bytes, start, end)
  return isNumber(bytes[start]) ? bytes.toString('latin1', start, end) : undefined
}

const appendMember = (object: Buffer, afterOthers: boolean, member: string): Buffer =>
  Buffer.concat([object.subarray(0, -1), Buffer.from(`${afterOthers ? ',' : ''}${member}}`)])

/**
 * Root members are few and small. They are scanned again separately, so that the cuts of the items are not affected.
 */
function copyValue({ bytes }: Scanner, start: number, end: number): Buffer {
  const scanner: Scanner = { bytes, cuts: [], elements: 0, values: 0 }
  scanValue(scanner, start)
  return withoutCuts(scanner, start, end, 0)
}
