import type { Call } from '../call.ts'
import type { Clock } from '../clock.ts'
import { type ErrorCode, errorKinds } from '../errors.ts'
import { changesBlob, changesFolder, indexBlob, latestBlob, manifestBlob, partName, runFolder } from './layout.ts'
import { type EndReason, partCounts } from './part-writer.ts'
import type { SnapshotReader } from './reader.ts'
import { isRead, latest as latestShape, type Manifest, type PlanTail, type Snapshot } from './shapes.ts'
import type { BlobInfo, Store } from './store.ts'

/** Orders younger than this may be missing (learn.microsoft.com/partner-center/developer/get-all-of-a-customer-s-orders). */
const settlingMs = 15 * 60 * 1000

/** Longest list of failures in a manifest. */
const mostFailures = 1000

type Options = { store: Store; reader: SnapshotReader; clock: Clock }

export type FinishRun = {
  /** Writes the manifest if every part is done, and moves `latest.json` on. Anybody may call it, any number of times. */
  finish: (snapshotId: string, call: Call) => Promise<void>
  /** Writes the manifest of a run that failed before it had parts. */
  fail: (failed: Pick<PlanTail, 'snapshotId' | 'startedAt' | 'trigger'>, reason: EndReason, call: Call) => Promise<void>
  /** Moves `latest.json` on to a finished run, never back. */
  moveLatest: (manifest: Manifest, partial: boolean) => Promise<void>
}

/** The path of a run as manifests and `latest.json` give it: without the slash at the end. */
const pathOf = (snapshotId: string): string => runFolder(snapshotId).slice(0, -1)

/** Adds up a run from the metadata of its parts. */
export function addUp(parts: readonly BlobInfo[]) {
  const sum = { orders: 0, read: 0, failed: 0, created: 0, updated: 0, removed: 0, bytes: 0 }
  let end: EndReason | undefined
  for (const part of parts) {
    const { end: reason, ...counts } = partCounts(part)
    end ??= reason
    sum.bytes += part.bytes
    for (const [name, count] of Object.entries(counts)) sum[name as keyof typeof counts] += count
  }
  const { orders, read, failed, bytes, ...changes } = sum
  return { orders, bytes, read, failed, changes, end }
}

export const listParts = (store: Store, snapshotId: string): Promise<BlobInfo[]> =>
  Array.fromAsync(store.list(`${runFolder(snapshotId)}part-`))

export function createFinishRun({ store, reader, clock }: Options): FinishRun {
  /** The blob that appears last for a part. */
  const lastBlob = ({ snapshotId, partial }: PlanTail, part: number): string =>
    partial ? indexBlob(snapshotId, part) : changesBlob(snapshotId, part)

  /**
   * True once every part is done. Only when the last one is there are all of them counted: whoever completes a part
   * either sees the last one, or the one who completes that sees this part.
   */
  async function isComplete(plan: PlanTail): Promise<boolean> {
    const parts = plan.parts.length
    if (parts === 0) return true
    if ((await store.head(lastBlob(plan, parts - 1))) === undefined) return false
    const prefix = plan.partial ? `${runFolder(plan.snapshotId)}_index-` : `${changesFolder(plan.snapshotId)}part-`
    let done = 0
    for await (const _ of store.list(prefix)) done++
    return done >= parts
  }

  async function readFailures(snapshotId: string, parts: readonly BlobInfo[]): Promise<Manifest['failures']> {
    const failures: Manifest['failures'] = []
    for (const [part, info] of parts.entries()) {
      if (failures.length >= mostFailures) break
      if (partCounts(info).failed === 0) continue
      for (const entry of (await reader.readIndex(snapshotId, part)).customers) {
        if (isRead(entry) || failures.length >= mostFailures) continue
        const { customerTenantId, customerName, error } = entry
        failures.push({ customerTenantId, ...(customerName === '' ? {} : { customerName }), ...error })
      }
    }
    return failures
  }

  async function writeManifest(manifest: Manifest, partial: boolean, call: Call): Promise<void> {
    const written = await store.write(manifestBlob(manifest.snapshotId), JSON.stringify(manifest), {
      absent: true,
      metadata: toMetadata(manifest, partial),
    })
    if (written === false) return
    const { parts: _, failures: __, path: ___, ...summary } = manifest
    const level = manifest.status === 'failed' ? 'error' : manifest.status === 'succeeded' ? 'info' : 'warn'
    call.log(
      level,
      `snapshot_${manifest.status === 'completedWithErrors' ? 'completed_with_errors' : manifest.status}`,
      summary,
    )
  }

  const times = (startedAt: string) => ({
    finishedAt: new Date(clock.now()).toISOString(),
    asOf: startedAt,
    completeThrough: new Date(Date.parse(startedAt) - settlingMs).toISOString(),
  })

  async function toManifest(plan: PlanTail): Promise<Manifest> {
    const { snapshotId } = plan
    const parts = await listParts(store, snapshotId)
    const { read, failed, end, ...sums } = addUp(parts)
    const error = end ?? (read === 0 ? { code: 'snapshot_failed', message: 'No customer could be read.' } : undefined)
    return {
      snapshotId: plan.snapshotId,
      status: error !== undefined ? 'failed' : failed > 0 ? 'completedWithErrors' : 'succeeded',
      trigger: plan.trigger,
      startedAt: plan.startedAt,
      ...times(plan.startedAt),
      customers: { planned: plan.parts.reduce((sum, { customers }) => sum + customers, 0), read, failed },
      ...sums,
      path: pathOf(snapshotId),
      parts: parts.map((info, part) => ({
        name: partName(part),
        orders: partCounts(info).orders,
        bytes: info.bytes,
        sha256: info.metadata.sha256 ?? '',
      })),
      failures: await readFailures(snapshotId, parts),
      ...(error === undefined ? {} : { error }),
    }
  }

  const finishRun: FinishRun = {
    async finish(snapshotId, call) {
      const plan = await reader.readPlan(snapshotId)
      if (plan === undefined) return
      const isWritten = (await store.head(manifestBlob(snapshotId))) !== undefined
      if (!isWritten && !(await isComplete(plan))) return
      if (!isWritten) await writeManifest(await toManifest(plan), plan.partial, call)
      // Also when it was there before: whoever wrote it may have died before this.
      const decided = await reader.readManifest(snapshotId)
      if (decided !== undefined) await finishRun.moveLatest(decided, plan.partial)
    },

    async fail({ snapshotId, startedAt, trigger }, reason, call) {
      const nothing = { orders: 0, bytes: 0, changes: { created: 0, updated: 0, removed: 0 }, parts: [], failures: [] }
      const customers = { planned: 0, read: 0, failed: 0 }
      const base = { snapshotId, status: 'failed' as const, trigger, startedAt, ...times(startedAt) }
      await writeManifest({ ...base, customers, ...nothing, path: pathOf(snapshotId), error: reason }, false, call)
    },

    async moveLatest({ snapshotId, status, startedAt, finishedAt = startedAt }, partial) {
      if (status === 'failed' || partial) return
      const body = JSON.stringify({ snapshotId, path: pathOf(snapshotId), asOf: startedAt, finishedAt })
      for (;;) {
        const present = await store.read(latestBlob)
        if (present !== undefined && latestId(present.body) >= snapshotId) return
        const condition = present === undefined ? { absent: true } : { etag: present.info.etag }
        if ((await store.write(latestBlob, body, condition)) !== false) return
      }
    },
  }
  return finishRun
}

/** The run that `latest.json` points to; empty if it is damaged, so that the next finished run mends it. */
export function latestId(body: Buffer): string {
  try {
    return latestShape.parse(JSON.parse(body.toString('utf8'))).snapshotId
  } catch {
    return ''
  }
}

/** A manifest in the metadata of its blob, so that lists need not read it. */
function toMetadata(
  { status, trigger, startedAt, finishedAt, customers, orders, bytes, changes, error }: Manifest,
  partial: boolean,
): Record<string, string> {
  return {
    status,
    trigger,
    startedat: startedAt,
    finishedat: finishedAt ?? '',
    planned: String(customers.planned),
    read: String(customers.read),
    failed: String(customers.failed),
    orders: String(orders),
    bytes: String(bytes),
    created: String(changes.created),
    updated: String(changes.updated),
    removed: String(changes.removed),
    partial: String(partial),
    ...(error === undefined ? {} : { errorcode: error.code }),
  }
}

/** A finished run from the metadata of its manifest. */
export function fromMetadata(snapshotId: string, { metadata }: BlobInfo): Snapshot & { partial: boolean } {
  const count = (name: string) => Number(metadata[name] ?? 0)
  const { status, trigger, startedat = '', finishedat = '', partial } = metadata
  return {
    snapshotId,
    status: status as Snapshot['status'],
    trigger: trigger as Snapshot['trigger'],
    startedAt: startedat,
    finishedAt: finishedat,
    asOf: startedat,
    completeThrough: new Date(Date.parse(startedat) - settlingMs).toISOString(),
    customers: { planned: count('planned'), read: count('read'), failed: count('failed') },
    orders: count('orders'),
    bytes: count('bytes'),
    changes: { created: count('created'), updated: count('updated'), removed: count('removed') },
    partial: partial === 'true',
  }
}

/** The code a failed run is answered with: its cause's, where that is one that needs a person, else the general one. */
export const failureCode = (code: string | undefined): ErrorCode =>
  code !== undefined && code in errorKinds && errorKinds[code as ErrorCode].status === errorKinds.snapshot_failed.status
    ? (code as ErrorCode)
    : 'snapshot_failed'
