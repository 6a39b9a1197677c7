/**
 * Where things lie in the snapshot container. Partitions are named `key=value`, as DuckDB, Spark and Fabric read them;
 * names that begin with an underscore are passed over by those that list a folder.
 */

/** `20261120T002000Z`: the start of a run in UTC, to the second. */
export const snapshotIdPattern = /^\d{8}T\d{6}Z$/

/** The id of a run that starts at `instant`, in milliseconds since 1970 UTC. */
export const toSnapshotId = (instant: number): string =>
  `${new Date(instant).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`

/** Milliseconds since 1970 UTC of the second that an id names; NaN if there is no such second. */
export const idToInstant = (id: string): number =>
  Date.parse(id.replace(/^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/, '$1-$2-$3T$4:$5:$6Z'))

/** The date of a run's partition. */
export const dateOf = (snapshotId: string): string =>
  `${snapshotId.slice(0, 4)}-${snapshotId.slice(4, 6)}-${snapshotId.slice(6, 8)}`

/** What tells where the blobs of a run lie: its id, and whether it is a reading between snapshots. */
export type RunPlace = { snapshotId: string; following?: boolean | undefined }

/** Folders end with a slash. */
export const datesFolder = 'snapshots/'
export const followingFolder = 'following/'
export const allChangesFolder = 'changes/'
export const dateFolder = (date: string, root = datesFolder): string => `${root}date=${date}/`

const partition = ({ snapshotId }: RunPlace): string => `date=${dateOf(snapshotId)}/run=${snapshotId}/`

export const runFolder = (run: RunPlace): string =>
  `${run.following === true ? followingFolder : datesFolder}${partition(run)}`
export const changesFolder = (run: RunPlace): string => `${allChangesFolder}${partition(run)}`
export const linesFolder = (run: RunPlace): string => `lines/${partition(run)}`

/** The path of a run as manifests and `latest.json` give it: without the slash at the end. */
export const pathOf = (run: RunPlace): string => runFolder(run).slice(0, -1)
export const linesPathOf = (run: RunPlace): string => linesFolder(run).slice(0, -1)

const fiveDigits = (part: number): string => String(part).padStart(5, '0')

export const planBlob = (run: RunPlace): string => `${runFolder(run)}_plan.json`
export const manifestBlob = (run: RunPlace): string => `${runFolder(run)}_manifest.json`
export const reportBlob = (run: RunPlace): string => `${runFolder(run)}_report.html`
export const partName = (part: number): string => `part-${fiveDigits(part)}.ndjson.gz`
export const partBlob = (run: RunPlace, part: number): string => runFolder(run) + partName(part)
export const indexBlob = (run: RunPlace, part: number): string => `${runFolder(run)}_index-${fiveDigits(part)}.json`
export const changesBlob = (run: RunPlace, part: number): string => changesFolder(run) + partName(part)
export const linesBlob = (run: RunPlace, part: number): string => `${linesFolder(run)}part-${fiveDigits(part)}.parquet`

/** The number in the name of a part's blob, whichever of them it is. */
export const partNumber = (name: string): number => Number(/-(\d{5,})\.[a-z.]+$/.exec(name)?.[1] ?? Number.NaN)

export const currentBlob = 'current.json'
export const latestBlob = 'latest.json'
export const paceBlob = 'pace.json'
export const followingBlob = 'following.json'

/** The last segment of a folder of partitions: `date=2026-11-20/` gives `2026-11-20`. */
export const partitionValue = (folder: string): string => /=([^/=]+)\/$/.exec(folder)?.[1] ?? ''

/** The run in whose folder a blob lies. */
export const runOfBlob = (name: string): string => /\/run=([^/]+)\//.exec(name)?.[1] ?? ''
