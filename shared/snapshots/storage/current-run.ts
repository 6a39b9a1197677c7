import { parseJson } from '../../formats/json.ts'
import { currentBlob, latestBlob } from './layout.ts'
import { type Current, currentSchema, type Latest, latestSchema } from './shapes.ts'
import { isUnreadable } from './storage-errors.ts'
import type { Store } from './store.ts'

/** The content of `current.json`, and the version that a conditional write must name. */
type CurrentState = { current: Current | undefined; etag: string | undefined }

export type CurrentRun = {
  /** A damaged or missing blob means that no run is known. */
  read: () => Promise<CurrentState>
  /** Writes a new run if `current.json` still has the version that was read. */
  replace: (next: Current, etag: string | undefined) => Promise<boolean>
  /**
   * Changes the current run, and repeats the write if another worker wrote meanwhile. `change` returns undefined to
   * leave the run as it is. Returns the stored run, or undefined if the run is no longer the current one.
   */
  change: (nonce: string, change: (run: Current) => Partial<Current> | undefined) => Promise<Current | undefined>
  /** Writes `current.json` unchanged. Every start that read it before then fails and has to read it again. */
  fence: (state: CurrentState) => Promise<boolean>
}

export function createCurrentRun(store: Store): CurrentRun {
  const write = async (body: string, etag: string | undefined): Promise<boolean> =>
    (await store.write(currentBlob, body, etag === undefined ? { absent: true } : { etag })) !== false

  const currentRun: CurrentRun = {
    async read() {
      const stored = await store.read(currentBlob)
      if (stored === undefined) return { current: undefined, etag: undefined }
      return { current: currentSchema.safeParse(parseJson(stored.body)).data, etag: stored.info.etag }
    },
    replace: (next, etag) => write(JSON.stringify(next), etag),
    async change(nonce, change) {
      for (;;) {
        const { current, etag } = await currentRun.read()
        if (current?.nonce !== nonce) return undefined
        const changes = change(current)
        if (changes === undefined) return current
        const next = { ...current, ...changes }
        if (await currentRun.replace(next, etag)) return next
      }
    },
    fence: ({ current, etag }) => write(current === undefined ? '{}' : JSON.stringify(current), etag),
  }
  return currentRun
}

/** The run that `latest.json` names, with the version of the blob. Undefined if the blob is damaged. */
export async function readLatest(store: Store): Promise<{ latest: Latest | undefined; etag: string | undefined }> {
  const stored = await store.read(latestBlob)
  if (stored === undefined) return { latest: undefined, etag: undefined }
  return { latest: latestSchema.safeParse(parseJson(stored.body)).data, etag: stored.info.etag }
}

/** The run that `latest.json` names. Undefined also if the blob is locked or damaged. */
export async function findLatest(store: Store): Promise<Latest | undefined> {
  try {
    return (await readLatest(store)).latest
  } catch (error) {
    if (!isUnreadable(error)) throw error
    return undefined
  }
}
