import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { OrderBytes } from '../../partner-center/collection.ts'

const compress = promisify(gzip)
const decompress = promisify(gunzip)

/** The largest customer that can be read back, in bytes of NDJSON. */
const maxMemberBytes = 1024 ** 3

export type MemberHead = { customerTenantId: string; customerName: string; retrievedAt: string }

const newline = Buffer.from('\n')
const endOfRow = Buffer.from('}\n')

/**
 * One gzip member with fixed settings, so that equal rows give equal bytes on every machine. zlib writes no time into
 * the header. The byte for the operating system is set to "unknown" (RFC 1952, 2.3.1).
 */
async function toMember(text: Buffer): Promise<Buffer> {
  const member = await compress(text, { level: 6, memLevel: 8 })
  member[9] = 0xff
  return member
}

/**
 * The content of a part or changes blob without lines: an empty member, because a blob of zero bytes is no gzip file.
 */
export const emptyMember = (): Promise<Buffer> => toMember(Buffer.alloc(0))

/** One line per order: `{customerTenantId, customerName, retrievedAt, order}`. Without orders, no bytes. */
export async function encodeCustomer(head: MemberHead, orders: readonly OrderBytes[]): Promise<Buffer> {
  if (orders.length === 0) return Buffer.alloc(0)
  const start = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"order":`)
  return toMember(Buffer.concat(orders.flatMap(({ json }) => [start, json, endOfRow])))
}

/** Lower-case hex SHA-256 of a customer's orders in their order, without members that change from run to run. */
export function hashOrders(orders: readonly { json: Buffer }[]): string {
  const hash = createHash('sha256')
  for (const { json } of orders) hash.update(json).update(newline)
  return hash.digest('hex')
}

/** Lines of JSON as one member. Without lines, no bytes. */
export const encodeLines = async (lines: readonly string[]): Promise<Buffer> =>
  lines.length === 0 ? Buffer.alloc(0) : toMember(Buffer.from(`${lines.join('\n')}\n`))

/** The lines of one or more members. Rejects if the bytes are not gzip. */
export async function decodeLines(member: Buffer): Promise<Buffer[]> {
  if (member.length === 0) return []
  const text = await decompress(member, { maxOutputLength: maxMemberBytes })
  const lines: Buffer[] = []
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf(0x0a, start)
    const stop = end < 0 ? text.length : end
    if (stop > start) lines.push(text.subarray(start, stop))
    start = stop + 1
  }
  return lines
}

const orderMember = Buffer.from(',"order":')

/**
 * The orders of a customer's member with their original bytes. Throws if `encodeCustomer` did not write a line. The
 * search for `order` is safe: this app writes the members before it, and their JSON cannot contain the pattern outside
 * of a text.
 */
export async function decodeOrders(member: Buffer): Promise<Buffer[]> {
  return (await decodeLines(member)).map(line => line.subarray(placeOfOrder(line) + orderMember.length, -1))
}

function placeOfOrder(line: Buffer): number {
  const at = line.indexOf(orderMember, line.indexOf('"retrievedAt":'))
  if (at < 0 || line.at(-1) !== 0x7d) throw new SyntaxError('Not a line of a snapshot')
  return at
}

/** A line of a part: the customer of the order, and the order with its original bytes. */
export function splitLine(line: Buffer): { head: MemberHead; json: Buffer } {
  const at = placeOfOrder(line)
  const head = JSON.parse(`${line.toString('utf8', 0, at)}}`) as MemberHead
  return { head, json: line.subarray(at + orderMember.length, -1) }
}
