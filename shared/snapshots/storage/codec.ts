import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { OrderBytes } from '../../partner-center/collection.ts'

const compress = promisify(gzip)
const decompress = promisify(gunzip)

/** Largest customer that is read back, in bytes of NDJSON. */
const maxMemberBytes = 1024 ** 3

export type MemberHead = { customerTenantId: string; customerName: string; retrievedAt: string }

const newline = Buffer.from('\n')
const endOfRow = Buffer.from('}\n')

/**
 * One gzip member with fixed settings: equal rows give equal bytes on every machine. zlib writes no time into the
 * header; the byte that names the operating system is set to «unknown» (RFC 1952, 2.3.1).
 */
async function toMember(text: Buffer): Promise<Buffer> {
  const member = await compress(text, { level: 6, memLevel: 8 })
  member[9] = 0xff
  return member
}

/** What a part or changes blob without a line consists of: an empty member, since a blob of no bytes is no gzip file. */
export const emptyMember = (): Promise<Buffer> => toMember(Buffer.alloc(0))

/** One line per order: `{customerTenantId, customerName, retrievedAt, order}`. No bytes for no orders. */
export async function encodeCustomer(head: MemberHead, orders: readonly OrderBytes[]): Promise<Buffer> {
  if (orders.length === 0) return Buffer.alloc(0)
  const start = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"order":`)
  return toMember(Buffer.concat(orders.flatMap(({ json }) => [start, json, endOfRow])))
}

/** Lower-case hex SHA-256 of a customer's orders, in their order, without anything that changes from run to run. */
export function hashOrders(orders: readonly { json: Buffer }[]): string {
  const hash = createHash('sha256')
  for (const { json } of orders) hash.update(json).update(newline)
  return hash.digest('hex')
}

/** Lines of JSON as one member; no bytes for no lines. */
export const encodeLines = async (lines: readonly string[]): Promise<Buffer> =>
  lines.length === 0 ? Buffer.alloc(0) : toMember(Buffer.from(`${lines.join('\n')}\n`))

/** The lines of one or more members. Rejects if the bytes are no gzip. */
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
 * The orders of a customer's member, byte for byte as they were. Throws if a line is not one that `encodeCustomer`
 * wrote: the members before `order` are written by us, and none of them can hold its name outside of a text.
 */
export async function decodeOrders(member: Buffer): Promise<Buffer[]> {
  return (await decodeLines(member)).map(line => line.subarray(placeOfOrder(line) + orderMember.length, -1))
}

function placeOfOrder(line: Buffer): number {
  const at = line.indexOf(orderMember, line.indexOf('"retrievedAt":'))
  if (at < 0 || line.at(-1) !== 0x7d) throw new SyntaxError('Not a line of a snapshot')
  return at
}

/** A line of a part: whose order it is, and the order byte for byte as it was. */
export function splitLine(line: Buffer): { head: MemberHead; json: Buffer } {
  const at = placeOfOrder(line)
  const head = JSON.parse(`${line.toString('utf8', 0, at)}}`) as MemberHead
  return { head, json: line.subarray(at + orderMember.length, -1) }
}
