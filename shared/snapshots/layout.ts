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

const toDate = (snapshotId: string): string =>
  `${snapshotId.slice(0, 4)}-${snapshotId.slice(4, 6)}-${snapshotId.slice(6, 8)}`

/** Folders end with a slash. */
export const datesFolder = 'snapshots/'
export const dateFolder = (date: string): string => `${datesFolder}date=${date}/`
export const runFolder = (snapshotId: string): string => `${dateFolder(toDate(snapshotId))}run=${snapshotId}/`
export const changesFolder = (snapshotId: string): string => `changes/date=${toDate(snapshotId)}/run=${snapshotId}/`

const fiveDigits = (part: number): string => String(part).padStart(5, '0')

export const planBlob = (snapshotId: string): string => `${runFolder(snapshotId)}_plan.json`
export const manifestBlob = (snapshotId: string): string => `${runFolder(snapshotId)}_manifest.json`
export const partName = (part: number): string => `part-${fiveDigits(part)}.ndjson.gz`
export const partBlob = (snapshotId: string, part: number): string => runFolder(snapshotId) + partName(part)
export const indexBlob = (snapshotId: string, part: number): string =>
  `${runFolder(snapshotId)}_index-${fiveDigits(part)}.json`
export const changesBlob = (snapshotId: string, part: number): string => changesFolder(snapshotId) + partName(part)

/** The number in a part's, an index's or a changes blob's name. */
export const partNumber = (name: string): number =>
  Number(/-(\d{5,})\.(?:ndjson\.gz|json)$/.exec(name)?.[1] ?? Number.NaN)

export const currentBlob = 'current.json'
export const latestBlob = 'latest.json'
export const paceBlob = 'pace.json'

/** The last segment of a folder of partitions: `date=2026-11-20/` gives `2026-11-20`. */
export const partitionValue = (folder: string): string => /=([^/=]+)\/$/.exec(folder)?.[1] ?? ''
