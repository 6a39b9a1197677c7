import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import type { Customers } from '../customers.ts'
import type { Faults } from '../faults.ts'
import type { Findings } from '../findings.ts'
import type { Storage } from '../storage.ts'
import { shortId } from '../trace.ts'
import type { Upstream } from '../upstream.ts'
import { createLineRules } from './lines.ts'
import type { SeenRun } from './runs.ts'

/** The documented shape of an index entry, in its states. */
const entrySchema = z.looseObject({
  customerTenantId: z.string(),
  orders: z.number().optional(),
  offset: z.number().optional(),
  length: z.number().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  gone: z.boolean().optional(),
})
const indexSchema = z.looseObject({ part: z.number(), customers: z.array(entrySchema) })
const planSchema = z.looseObject({
  customers: z.array(
    z.array(z.union([z.tuple([z.string()]).rest(z.unknown()), z.looseObject({ customerTenantId: z.string() })])),
  ),
})

export type Told = { kind: 'created' | 'updated' | 'removed'; customerTenantId: string; orderId: string; line: string }

/** The content of a finished run, read from its blobs when its manifest appeared. */
export type RunContents = {
  run: SeenRun
  planned: Set<string>
  /** Orders as JSON, by customer. */
  read: Map<string, string[]>
  failed: Map<string, string>
  gone: Set<string>
  told: Told[]
}

type Options = {
  storage: Storage
  upstream: Upstream
  customers: Customers
  faults: Faults
  findings: Findings
  /** True times at which a process continued after a freeze, or a sign-in was late. */
  slowdowns: readonly number[]
}

/** A caller that waited for less than this has not used up the time of a customer. */
const leastDeadlineMs = 50_000

/** A refusal can take as long as a hanging sign-in. */
const longestSignInMs = 10 * 60_000

const folderOf = (id: string, root: string) =>
  `${root}/date=${id.slice(0, 4)}-${id.slice(4, 6)}-${id.slice(6, 8)}/run=${id}/`

/** Failures that require a refused credential. */
const ofCredential = ['credential_rejected', 'mfa_required', 'wrong_audience']

/** The error code for each upstream response. */
const causes: Record<string, (status: number | 'reset', code: string) => boolean> = {
  partner_center_throttled: status => status === 429,
  partner_center_unavailable: status => status === 'reset' || (typeof status === 'number' && status >= 500),
  customer_not_found: status => status === 404,
  no_customer_relationship: (status, code) => status === 403 && code === '20002',
  partner_center_forbidden: status => status === 403 || status === 401,
  credential_rejected: status => status === 401,
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Checks that a manifest matches its blobs, and the blobs match the upstream. */
export function createContentRules({ storage, upstream, customers, faults, findings, slowdowns }: Options) {
  const lineRules = createLineRules({ storage, findings })

  function json<T>(name: string, shape: z.ZodType<T>): T | undefined {
    const blob = storage.blobs.get(name)
    if (blob === undefined) return undefined
    const parsed = shape.safeParse(parseJson(blob.body.toString()))
    if (!parsed.success && !storage.wasDamaged(name)) {
      findings.broken('blobs have the documented shape', `${name}: ${parsed.error.message}`)
    }
    return parsed.data
  }

  const linesOf = (member: Buffer): string[] =>
    member.length === 0
      ? []
      : gunzipSync(member)
          .toString()
          .split('\n')
          .filter(line => line !== '')

  const orderOf = (line: string): string => JSON.stringify((JSON.parse(line) as { order: unknown }).order)

  function readPart(contents: RunContents, part: number, bytes: Buffer): number {
    const { run } = contents
    const name = `${folderOf(run.id, run.isFollowing ? 'following' : 'snapshots')}_index-${String(part).padStart(5, '0')}.json`
    let expectedOffset = 0
    let orders = 0
    for (const each of json(name, indexSchema)?.customers ?? []) {
      const { customerTenantId: id, offset, length, error } = each
      if (contents.read.has(id) || contents.failed.has(id) || contents.gone.has(id)) {
        findings.broken('each planned customer is read exactly once', `${shortId(id)} twice in ${run.id}`)
      }
      if (error !== undefined) {
        contents.failed.set(id, error.code)
        continue
      }
      if (offset === undefined || length === undefined) {
        contents.gone.add(id)
        continue
      }
      if (length > 0 && offset !== expectedOffset)
        findings.broken('the byte ranges of a part have no gap', `${name} ${id}`)
      expectedOffset += length
      const held = linesOf(bytes.subarray(offset, offset + length))
        .map(orderOf)
        .sort()
      orders += held.length
      if (held.length !== each.orders) findings.broken('an index entry matches its part', `${name} ${shortId(id)}`)
      contents.read.set(id, held)
      const given = upstream.answersTo(id).filter(({ at }) => at >= run.startedAt)
      if (!given.some(answer => answer.orders?.join('\n') === held.join('\n'))) {
        findings.broken('orders equal those of the upstream', `${run.id} ${shortId(id)}: ${held.join(' ')}`)
      }
    }
    if (linesOf(bytes).length !== orders) findings.broken('a part contains exactly its customers', name)
    return orders
  }

  function checkFailures({ run, failed, gone }: RunContents): void {
    const isStopped = run.manifest?.status === 'failed'
    for (const [id, code] of failed) {
      if (code === 'internal_error') findings.broken('no customer fails because of a bug', `${run.id} ${shortId(id)}`)
      const given = upstream.answersTo(id).filter(({ at }) => at >= run.startedAt)
      const isCause = causes[code]
      if (isCause !== undefined && !isStopped && !given.some(answer => isCause(answer.status, answer.code))) {
        findings.broken('a failure names its cause', `${run.id} ${shortId(id)} ${code}`)
      }
      const spentMs = given.reduce((sum, { tookMs, waitMs }) => sum + tookMs + waitMs, 0)
      const isExcused = spentMs > leastDeadlineMs || slowdowns.some(at => at >= run.startedAt)
      if (code === 'deadline_exceeded' && !isExcused) {
        findings.broken(
          'waiting for the pace is no deadline',
          `${run.id} ${shortId(id)} after ${Math.round(spentMs)} ms`,
        )
      }
    }
    for (const id of gone) {
      const given = upstream.answersTo(id).filter(({ at }) => at >= run.startedAt)
      const isGone = given.some(({ status, code }) => status === 404 || (status === 403 && code === '20002'))
      const isListed = customers.wasListed(id, run.startedAt) && !upstream.earlyEnds.some(at => at >= run.startedAt)
      if (!isGone || isListed) findings.broken('a removed customer has left', `${run.id} ${shortId(id)}`)
    }
    const code = run.manifest?.error?.code ?? ''
    const wasRefused =
      upstream.refusals.some(at => at >= run.startedAt) ||
      faults.wasOn('sign-in is refused', run.startedAt - longestSignInMs)
    if (ofCredential.includes(code) && !wasRefused) {
      findings.broken('only a refused credential stops a run', `${run.id} ${code}`)
    }
  }

  return {
    /** The checks that are deferred, because reading a Parquet file is asynchronous. */
    finish: lineRules.finish,
    /** Checks a run whose manifest has just appeared. */
    read(run: SeenRun): RunContents {
      const contents: RunContents = {
        run,
        planned: new Set(),
        read: new Map(),
        failed: new Map(),
        gone: new Set(),
        told: [],
      }
      const { manifest } = run
      if (manifest === undefined) return contents
      const folder = folderOf(run.id, run.isFollowing ? 'following' : 'snapshots')
      const planned = json(`${folder}_plan.json`, planSchema)?.customers.flat() ?? []
      const ids = planned.map(customer => (Array.isArray(customer) ? customer[0] : customer.customerTenantId))
      contents.planned = new Set(ids)
      const wrong = (what: string, expected: unknown, actual: unknown) => {
        if (expected !== actual)
          findings.broken('manifest sums equal the blobs', `${run.id} ${what}: ${expected}, but ${actual}`)
      }

      let [orders, bytes] = [0, 0]
      for (const [part, { name, ...stated }] of manifest.parts.entries()) {
        const blob = storage.blobs.get(folder + name)
        wrong(`${name} exists`, true, blob !== undefined)
        if (blob === undefined) continue
        const held = readPart(contents, part, blob.body)
        orders += held
        bytes += blob.body.length
        wrong(`${name} orders`, stated.orders, held)
        wrong(`${name} bytes`, stated.bytes, blob.body.length)
        wrong(`${name} sha256`, stated.sha256, createHash('sha256').update(blob.body).digest('hex'))
        lineRules.check(run, part, linesOf(blob.body))
      }
      const changes = [...storage.blobs].filter(([name]) => name.startsWith(folderOf(run.id, 'changes')))
      for (const [, { body }] of changes.sort(([a], [b]) => (a < b ? -1 : 1))) {
        for (const line of linesOf(body)) contents.told.push({ ...(JSON.parse(line) as Omit<Told, 'line'>), line })
      }
      const { read, failed, gone, told } = contents
      const states = read.size + failed.size + gone.size
      wrong('customers planned', manifest.customers.planned, ids.length)
      if (manifest.parts.length > 0 || ids.length > 0) wrong('customers in the indexes', contents.planned.size, states)
      for (const id of [...read.keys(), ...failed.keys(), ...gone])
        wrong(`${id} planned`, true, contents.planned.has(id))
      wrong('customers failed', manifest.customers.failed, failed.size)
      if (manifest.customers.read !== read.size + gone.size) wrong('customers read', manifest.customers.read, read.size)
      wrong('orders', manifest.orders, orders)
      wrong('bytes', manifest.bytes, bytes)
      wrong('failures', manifest.failures.length, failed.size)
      for (const kind of ['created', 'updated', 'removed'] as const) {
        wrong(kind, manifest.changes[kind], told.filter(change => change.kind === kind).length)
      }
      if (manifest.status !== 'failed') {
        wrong('status', manifest.status, failed.size > 0 ? 'completedWithErrors' : 'succeeded')
      }
      checkFailures(contents)
      return contents
    },
  }
}
