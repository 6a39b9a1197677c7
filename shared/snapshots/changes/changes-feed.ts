import * as z from 'zod'
import { parseJson } from '../../formats/json.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import { decodeLines } from '../storage/codec.ts'
import { type CurrentRun, findLatest } from '../storage/current-run.ts'
import { type FindRuns, type KeptPlace, reportsChanges } from '../storage/find-runs.ts'
import { changesBlob, changesFolder, partNumber, planBlob } from '../storage/layout.ts'
import { dataBlob } from '../storage/part-blobs.ts'
import { type PartMetadata, readPartMetadata } from '../storage/part-metadata.ts'
import { type ChangeKind, changeKinds } from '../storage/shapes.ts'
import { corrupt } from '../storage/storage-errors.ts'
import type { Store } from '../storage/store.ts'

/**
 * A position in the feed: the next line of a part of a run, or the end of a run, with part -1. It consists of a run and
 * a line, not of a time, so that a change that is found late is not skipped.
 */
export type FeedPosition = { snapshotId: string; part: number; line: number }

export type ChangeFilter = { customerTenantId?: string | undefined; kind?: ChangeKind | undefined }

type ChangesPage = {
  /** Each change in its stored form: one JSON object. */
  changes: Buffer[]
  /**
   * The start of the next page: after every run that was searched, even if none of its changes matched. A caller that
   * keeps an earlier cursor instead does not lose changes.
   */
  next: FeedPosition
}

export type ChangesFeed = {
  /** The end of the feed. A read from here returns only later changes. */
  end: () => Promise<FeedPosition>
  /** Changes from a position. Undefined if the run of the position was deleted. */
  read: (
    from: FeedPosition,
    filter: ChangeFilter,
    top: number,
    operation: OperationContext,
  ) => Promise<ChangesPage | undefined>
}

/** `count` is undefined for following runs, whose parts may be deleted already. */
type ChangedPart = { part: number; name: string; count: number | undefined }

type Options = { store: Store; runs: FindRuns; currentRun: CurrentRun; clock: Clock }

const endOfRun = -1

/** The size of a blob without lines: one empty gzip member. */
const emptyBytes = 20

/** An id before every possible run. */
const beforeAll = '00010101T000000Z'

/** The share of the deadline for the search through changes that the filter excludes. */
const searchShare = 0.7

/** The most cursors for which the end of an unsuccessful search is kept. It is for callers that reuse an old cursor. */
const mostRemembered = 1000

const headSchema = z.looseObject({ kind: z.enum(changeKinds), customerTenantId: z.string() })

export function createChangesFeed({ store, runs, currentRun, clock }: Options): ChangesFeed {
  const searched = new Map<string, FeedPosition>()

  function remember(key: string, next: FeedPosition): void {
    searched.delete(key)
    searched.set(key, next)
    const [oldest] = searched.keys()
    if (searched.size > mostRemembered && oldest !== undefined) searched.delete(oldest)
  }

  /**
   * The newest run that can have changes, according to `latest.json`, or to the folders if that blob is damaged. A run
   * that has just ended counts even if `latest.json` has not moved yet.
   */
  async function newestRun(): Promise<string | undefined> {
    const [latest, { current }] = await Promise.all([findLatest(store), currentRun.read()])
    const whole = latest?.snapshotId ?? (await runs.newest())
    const newest = [whole, current?.previous]
      .filter(id => id !== undefined)
      .sort()
      .at(-1)
    const canTell = current !== undefined && (current.customers === undefined || current.following === true)
    if (!canTell || current.snapshotId <= (newest ?? '') || current.ended === 'failed') return newest
    const run = await runs.finished(current.snapshotId)
    return run !== undefined && reportsChanges(run) ? run.snapshotId : newest
  }

  /** The changes of a following run. They stay when the other blobs of the run are deleted. */
  async function followingParts(snapshotId: string, from: number): Promise<ChangedPart[]> {
    const parts: ChangedPart[] = []
    for await (const { name, metadata, bytes } of store.list(changesFolder({ snapshotId }))) {
      const part = partNumber(name)
      if (metadata.following === 'true' && part >= from && bytes > emptyBytes) {
        parts.push({ part, name, count: undefined })
      }
    }
    return parts
  }

  /** The parts of a run, from `from` on, whose metadata says that they have matching changes. */
  async function changedParts(
    { snapshotId, following, onlyChanges }: KeptPlace,
    from: number,
    { kind, customerTenantId }: ChangeFilter,
  ): Promise<ChangedPart[]> {
    if (following === true || onlyChanges) return followingParts(snapshotId, from)
    const parts: (PartMetadata & { part: number })[] = []
    for await (const { name, metadata } of store.list(dataBlob.prefixOf({ snapshotId }))) {
      parts.push({ part: partNumber(name), ...readPartMetadata(metadata) })
    }
    const canHold = ({ firstid }: PartMetadata, at: number): boolean => {
      if (customerTenantId === undefined || firstid === undefined) return true
      const next = parts[at + 1]?.firstid
      return firstid <= customerTenantId && (next === undefined || customerTenantId < next)
    }
    return parts.flatMap((metadata, at) => {
      const { part, created, updated, removed } = metadata
      const count = created + updated + removed
      const wanted = kind === undefined ? count : metadata[kind]
      const name = changesBlob({ snapshotId }, part)
      return part >= from && wanted > 0 && canHold(metadata, at) ? [{ part, name, count }] : []
    })
  }

  async function readLines({ name, count }: ChangedPart): Promise<Buffer[]> {
    const stored = await store.read(name)
    const lines = await decodeLines(stored?.body ?? Buffer.alloc(0)).catch(cause => {
      throw corrupt(name, cause)
    })
    if (count !== undefined && lines.length !== count) throw corrupt(name)
    return lines
  }

  const matches = (line: Buffer, name: string, { customerTenantId, kind }: ChangeFilter): boolean => {
    if (customerTenantId === undefined && kind === undefined) return true
    const parsed = headSchema.safeParse(parseJson(line))
    if (!parsed.success) throw corrupt(name, parsed.error)
    return (
      (customerTenantId === undefined || parsed.data.customerTenantId === customerTenantId) &&
      (kind === undefined || parsed.data.kind === kind)
    )
  }

  /** True for a following run that was deleted since it was listed: its plan goes first, its manifest last. */
  const wasDeleted = async (place: KeptPlace): Promise<boolean> =>
    place.following === true && (await store.head(planBlob(place))) === undefined

  /** The runs to search. The run of the position comes first, unless the position is at its end. */
  async function* runsFrom({ snapshotId, part }: FeedPosition, newest: string): AsyncGenerator<KeptPlace> {
    if (part !== endOfRun) {
      const run = await runs.finished(snapshotId)
      yield { snapshotId, following: run?.following, onlyChanges: run === undefined }
    }
    if (newest <= snapshotId) return
    for await (const place of runs.placesAfter(snapshotId)) {
      if (place.snapshotId > newest) return
      const run = place.onlyChanges ? undefined : await runs.finished(place.snapshotId)
      const isWanted = run === undefined ? place.onlyChanges || (await wasDeleted(place)) : reportsChanges(run)
      if (isWanted) yield place
    }
  }

  /** True if the run of a position, or at least its changes, still exists. */
  async function isKept(snapshotId: string): Promise<boolean> {
    if ((await runs.finished(snapshotId)) !== undefined) return true
    for await (const { metadata } of store.list(changesFolder({ snapshotId }))) {
      if (metadata.following === 'true') return true
    }
    return false
  }

  async function search(
    from: FeedPosition,
    filter: ChangeFilter,
    top: number,
    operation: OperationContext,
  ): Promise<ChangesPage> {
    const searchUntil = clock.now() + searchShare * (operation.deadline.at - clock.now())
    const newest = (await newestRun()) ?? beforeAll
    const changes: Buffer[] = []
    let next = from
    for await (const place of runsFrom(from, newest)) {
      const { snapshotId } = place
      const isFirst = snapshotId === from.snapshotId
      for (const changed of await changedParts(place, isFirst ? from.part : 0, filter)) {
        const { part, name } = changed
        const lines = await readLines(changed)
        for (let line = isFirst && part === from.part ? from.line : 0; line < lines.length; line++) {
          const text = lines[line]
          if (changes.length === top || text === undefined) return { changes, next }
          if (matches(text, name, filter)) changes.push(text)
          next = { snapshotId, part, line: line + 1 }
        }
        if (clock.now() > searchUntil) return { changes, next }
      }
      next = { snapshotId, part: endOfRun, line: 0 }
    }
    return { changes, next }
  }

  return {
    async end() {
      const newest = await newestRun()
      // The run in `latest.json` may have been deleted.
      const isThere = newest !== undefined && (await isKept(newest))
      return { snapshotId: (isThere ? newest : await runs.newest()) ?? beforeAll, part: endOfRun, line: 0 }
    },

    async read(from, filter, top, operation) {
      if (from.snapshotId !== beforeAll && !(await isKept(from.snapshotId))) return undefined
      const key = JSON.stringify([from, filter])
      const page = await search(searched.get(key) ?? from, filter, top, operation)
      if (page.changes.length === 0) remember(key, page.next)
      return page
    },
  }
}
