import { z } from 'zod'
import type { Call } from '../call.ts'
import type { Clock } from '../clock.ts'
import { decodeLines } from './codec.ts'
import { type FindRuns, isWhole } from './find-runs.ts'
import { listParts } from './finish-run.ts'
import { changesBlob, idToInstant, partNumber } from './layout.ts'
import { partCounts } from './part-writer.ts'
import { corrupt } from './reader.ts'
import { type ChangeKind, type Current, changeKinds } from './shapes.ts'
import type { Store } from './store.ts'

/**
 * A place in the changes: in a run the next line of a part, or the end of a run, whose part is then -1. It counts runs
 * and lines, not time, so that no change is passed over however late it is found.
 */
export type FeedPosition = { snapshotId: string; part: number; line: number }

export type ChangeFilter = { customerTenantId?: string | undefined; kind?: ChangeKind | undefined }

export type ChangesPage = {
  /** Each change as it was written: one JSON object. */
  changes: Buffer[]
  /**
   * Where the next page begins. A page without changes begins where the next one does, so that a caller who only keeps
   * the cursor of a page with changes loses nothing; it moves on before retention could overtake it.
   */
  next: FeedPosition
}

export type ChangesFeed = {
  /** The end of what there is: only what comes after is new. */
  end: () => Promise<FeedPosition>
  /** Changes from a position on; undefined if what it names is no longer kept. */
  read: (from: FeedPosition, filter: ChangeFilter, top: number, call: Call) => Promise<ChangesPage | undefined>
}

type ChangedPart = { part: number; name: string; count: number }

type Options = { store: Store; runs: FindRuns; clock: Clock; readCurrent: () => Promise<Current | undefined> }

const endOfRun = -1

/** How long a cursor stays the same while nothing happens: far shorter than any retention. */
const keepMs = 30 * 86_400_000

/** Before every run there can be. */
const beforeAll = '00010101T000000Z'

/** The share of a caller's time that may be spent on looking through changes that the filter leaves out. */
const searchShare = 0.7

const head = z.looseObject({ kind: z.enum(changeKinds), customerTenantId: z.string() })

export function createChangesFeed({ store, runs, clock, readCurrent }: Options): ChangesFeed {
  /** Parts of a run that say of themselves that they found changes, from a part on. */
  async function changedParts(snapshotId: string, from: number): Promise<ChangedPart[]> {
    const parts = (await listParts(store, snapshotId)).map(info => {
      const { created, updated, removed } = partCounts(info)
      const part = partNumber(info.name)
      return { part, name: changesBlob(snapshotId, part), count: created + updated + removed }
    })
    return parts.filter(({ part, count }) => part >= from && count > 0)
  }

  async function readLines({ name, count }: ChangedPart): Promise<Buffer[]> {
    const stored = await store.read(name)
    const lines = await decodeLines(stored?.body ?? Buffer.alloc(0)).catch(cause => {
      throw corrupt(name, cause)
    })
    if (lines.length !== count) throw corrupt(name)
    return lines
  }

  const matches = (line: Buffer, name: string, { customerTenantId, kind }: ChangeFilter): boolean => {
    if (customerTenantId === undefined && kind === undefined) return true
    const parsed = head.safeParse(parseJson(line))
    if (!parsed.success) throw corrupt(name, parsed.error)
    return (
      (customerTenantId === undefined || parsed.data.customerTenantId === customerTenantId) &&
      (kind === undefined || parsed.data.kind === kind)
    )
  }

  /** The runs to read, the one of the position first if it is not at its end. */
  async function* runsFrom({ snapshotId, part }: FeedPosition): AsyncGenerator<string> {
    if (part !== endOfRun) yield snapshotId
    for await (const id of runs.idsAfter(snapshotId)) {
      const run = await runs.finished(id)
      // Nothing behind a run that goes on can be told yet; folders that never became a run are passed over.
      if (run === undefined && (await readCurrent())?.snapshotId === id) return
      if (run !== undefined && isWhole(run)) yield id
    }
  }

  return {
    async end() {
      return { snapshotId: (await runs.newest()) ?? beforeAll, part: endOfRun, line: 0 }
    },

    async read(from, filter, top, call) {
      const isKept = from.snapshotId === beforeAll || (await runs.finished(from.snapshotId)) !== undefined
      if (!isKept) return undefined
      const searchUntil = clock.now() + searchShare * (call.deadline.at - clock.now())
      const changes: Buffer[] = []
      let next = from
      for await (const snapshotId of runsFrom(from)) {
        const isFirst = snapshotId === from.snapshotId
        for (const changed of await changedParts(snapshotId, isFirst ? from.part : 0)) {
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
      const isOld = clock.now() - idToInstant(from.snapshotId) > keepMs
      return { changes, next: changes.length > 0 || isOld ? next : from }
    },
  }
}

function parseJson(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'))
  } catch {
    return undefined
  }
}
