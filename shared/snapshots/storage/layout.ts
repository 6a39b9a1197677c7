/**
 * Names in the snapshot container. Partitions are named `key=value`, as DuckDB, Spark and Fabric expect. Tools that
 * list a folder ignore names with a leading underscore.
 */

/** `20261120T002000Z`: the start of a run in UTC, to the second. */
export const snapshotIdPattern = /^\d{8}T\d{6}Z$/

/** The id of a run that starts at `at`, in milliseconds since 1970 UTC. */
export const toSnapshotId = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`

/** The time of an id in milliseconds since 1970 UTC. NaN if it is no valid time. */
export const timeOfId = (id: string): number =>
  Date.parse(id.replace(/^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/, '$1-$2-$3T$4:$5:$6Z'))

/** The date partition of a run. */
export const dateOf = (snapshotId: string): string =>
  `${snapshotId.slice(0, 4)}-${snapshotId.slice(4, 6)}-${snapshotId.slice(6, 8)}`

/** Determines the folder of a run: its id, and whether it is a following run. */
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

/** The path of a run in manifests and `latest.json`: without the slash at the end. */
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

/** The part number in the name of any blob of a part. */
export const partNumber = (name: string): number => Number(/-(\d{5,})\.[a-z.]+$/.exec(name)?.[1] ?? Number.NaN)

export const currentBlob = 'current.json'
export const latestBlob = 'latest.json'
export const paceBlob = 'pace.json'
export const followingBlob = 'following.json'

/** The value of the last segment of a partition folder: `date=2026-11-20/` gives `2026-11-20`. */
export const partitionValue = (folder: string): string => /=([^/=]+)\/$/.exec(folder)?.[1] ?? ''

/** The id of the run that a blob belongs to. */
export const runOfBlob = (name: string): string => /\/run=([^/]+)\//.exec(name)?.[1] ?? ''
