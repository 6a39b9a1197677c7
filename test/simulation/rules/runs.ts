import { z } from 'zod'
import type { Manifest } from '../../../shared/snapshots/storage/shapes.ts'
import type { Findings } from '../findings.ts'
import type { Scheduler } from '../scheduler.ts'
import type { Blob, Storage } from '../storage.ts'

/** The observations about a run. They remain when the blobs are deleted. */
export type SeenRun = {
  id: string
  /** True times. */
  startedAt: number
  endedAt: number | undefined
  isPartial: boolean
  /** A following run: over some customers, with changes. */
  isFollowing: boolean
  manifest: Manifest | undefined
  isEndLogged: boolean
  /** True if a blob of it was deleted. */
  isDamaged: boolean
  /** True if a caller was told that it is being cancelled. */
  isCancelled: boolean
}

const pointerSchema = z.looseObject({
  snapshotId: z.string(),
  customers: z.array(z.unknown()).optional(),
  following: z.boolean().optional(),
})

type Options = {
  storage: Storage
  scheduler: Scheduler
  findings: Findings
  /** The longest allowed duration of a run that started then, in milliseconds. Undefined if there is none. */
  longestMs: (startedAt: number) => number | undefined
  ended: (run: SeenRun) => void
}

const endEvents = /^(?:snapshot|following)_(succeeded|completed_with_errors|failed|cancelled)$/

/** The longest time for which the timer's run waits for another one. */
const longestWaitMs = 8 * 3_600_000

/** Blobs that are written once. */
const fixed = /(_plan|_manifest|_index-\d+)\.json$|_report\.html$|\.(gz|parquet)$/

/** Checks that runs start in turn and end in time, and that `latest.json` follows them. */
export function createRunRules({ storage, scheduler, findings, longestMs, ended }: Options) {
  const runs = new Map<string, SeenRun>()
  let latest = ''
  const ticks: { at: number; isExcused: boolean }[] = []

  function begin(blob: Blob): void {
    const { snapshotId: id, customers, following } = pointerSchema.parse(JSON.parse(blob.body.toString()))
    if (runs.has(id)) return
    const previous = [...runs.values()].at(-1)
    if (previous !== undefined && previous.id >= id) findings.broken('ids ascend', `${id} follows ${previous.id}`)
    if (previous !== undefined && previous.manifest === undefined) {
      findings.broken('only one run is in progress', `${id} starts while ${previous.id} is in progress`)
    }
    const startedAt = scheduler.now()
    const run: SeenRun = {
      id,
      startedAt,
      endedAt: undefined,
      isPartial: customers !== undefined,
      isFollowing: following === true,
      manifest: undefined,
      isEndLogged: false,
      isDamaged: false,
      isCancelled: false,
    }
    runs.set(id, run)
    checkLength(run)
  }

  function checkLength(run: SeenRun): void {
    const mostMs = longestMs(run.startedAt)
    if (run.endedAt !== undefined || mostMs === undefined || storage.wasLeased('current.json', run.startedAt)) return
    const tookMs = scheduler.now() - run.startedAt
    if (tookMs < mostMs) scheduler.after(mostMs - tookMs, () => checkLength(run))
    else
      findings.broken(
        'a run ends in time',
        `${run.id} is still in progress after ${Math.round(tookMs / 60_000)} minutes`,
      )
  }

  function end(name: string, blob: Blob): void {
    const manifest = JSON.parse(blob.body.toString()) as Manifest
    const run = runs.get(manifest.snapshotId)
    if (run === undefined) {
      findings.broken('only a started run ends', name)
      return
    }
    run.manifest = manifest
    run.endedAt = scheduler.now()
    ended(run)
  }

  function moveLatest(blob: Blob): void {
    const { snapshotId } = pointerSchema.parse(JSON.parse(blob.body.toString()))
    const run = runs.get(snapshotId)
    if (snapshotId < latest) findings.broken('latest.json never moves back', `from ${latest} to ${snapshotId}`)
    if (run?.manifest === undefined || run.manifest.status === 'failed' || run.isPartial) {
      findings.broken('latest.json names a whole run', `${snapshotId} is ${run?.manifest?.status ?? 'not finished'}`)
    }
    latest = snapshotId
  }

  /** Checks that each day has its run: started since the tick, or in progress at that time and not failed. */
  function checkTicks(): void {
    const wholeRuns = [...runs.values()].filter(({ isPartial }) => !isPartial)
    for (const { at, isExcused } of ticks) {
      const kept = wholeRuns.some(
        ({ startedAt, endedAt = 0, manifest }) =>
          (startedAt >= at && startedAt < at + longestWaitMs) ||
          (startedAt < at && endedAt >= at && manifest?.status !== 'failed'),
      )
      if (!kept && !isExcused && longestMs(at) !== undefined && !storage.wasLeased('current.json', at)) {
        findings.broken('every day has its run', new Date(at).toISOString())
      }
    }
  }

  storage.onWritten((name, blob, before) => {
    if (before !== undefined && fixed.test(name)) findings.broken('written blobs do not change', name)
    if (name === 'current.json') begin(blob)
    else if (name === 'latest.json') moveLatest(blob)
    else if (name.endsWith('_manifest.json')) end(name, blob)
  })

  return {
    all: () => [...runs.values()],
    find: (id: string) => runs.get(id),
    latest: () => latest,
    ticked: () => ticks.push({ at: scheduler.now(), isExcused: false }),
    /** The function of the timer failed, and its log says so. */
    tickFailed() {
      for (const tick of ticks.slice(-1)) tick.isExcused = true
    },
    cancelled(id: string) {
      const run = runs.get(id)
      // A run that ended while it was cancelled had nothing left to do.
      if (run !== undefined && run.manifest === undefined) run.isCancelled = true
    },
    logged(event: string, fields: Record<string, unknown> | undefined) {
      if (!endEvents.test(event)) return
      const run = runs.get(String(fields?.snapshotId))
      if (run?.manifest === undefined)
        findings.broken('an end is logged after the run', `${event} ${fields?.snapshotId}`)
      else run.isEndLogged = true
    },
    /** The checks when everything has settled. */
    atTheEnd() {
      for (const { id, manifest, isEndLogged, isCancelled } of runs.values()) {
        if (manifest === undefined) findings.broken('every run ends', id)
        else if (!isEndLogged) findings.broken('the end of a run is logged', id)
        if (isCancelled && manifest?.error?.code !== 'snapshot_cancelled') {
          findings.broken('a cancelled run ends as cancelled', `${id}: ${manifest?.status} ${manifest?.error?.code}`)
        }
      }
      const last = [...runs.values()].at(-1)
      const isWhole = last?.manifest !== undefined && !last.isPartial && !last.isDamaged
      if (isWhole && !storage.blobs.has(`${last.manifest?.path}/_report.html`)) {
        findings.broken('a run over all customers has its report', last.id)
      }
      checkTicks()
      const newest = [...runs.values()].findLast(
        ({ manifest, isPartial }) => manifest !== undefined && manifest.status !== 'failed' && !isPartial,
      )
      if ((newest?.id ?? '') !== latest) {
        findings.broken('latest.json names the newest run', `${latest} instead of ${newest?.id}`)
      }
    },
  }
}

export type RunRules = ReturnType<typeof createRunRules>
