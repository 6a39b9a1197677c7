import {
  changesBlob,
  changesFolder,
  indexBlob,
  linesBlob,
  linesFolder,
  partBlob,
  type RunPlace,
  runFolder,
} from './layout.ts'

/** What a part consists of. */
export type BlobKind = 'data' | 'index' | 'changes' | 'lines'

export type BlobOfPart = {
  kind: BlobKind
  contentType: string
  nameOf: (run: RunPlace, part: number) => string
  /** Begins the names of these blobs of all parts, and of no others. */
  prefixOf: (run: RunPlace) => string
  /** True if parts that earlier versions of the app have written are whole without it. */
  isRecent?: true
}

const gzip = 'application/gzip'

/** The one that decides: whose blocks it is made of, theirs are the blobs of the part. */
export const dataBlob: BlobOfPart = {
  kind: 'data',
  contentType: gzip,
  nameOf: partBlob,
  prefixOf: run => `${runFolder(run)}part-`,
}

const index: BlobOfPart = {
  kind: 'index',
  contentType: 'application/json',
  nameOf: indexBlob,
  prefixOf: run => `${runFolder(run)}_index-`,
}

const changes: BlobOfPart = {
  kind: 'changes',
  contentType: gzip,
  nameOf: changesBlob,
  prefixOf: run => `${changesFolder(run)}part-`,
}

const lines: BlobOfPart = {
  kind: 'lines',
  contentType: 'application/vnd.apache.parquet',
  nameOf: linesBlob,
  prefixOf: run => `${linesFolder(run)}part-`,
  isRecent: true,
}

/**
 * The blobs that follow the decision, in the order in which they appear. A run over some customers has no changes and no
 * lines: who reads the lines of a run may take them for those of all customers.
 */
export const followers = ({ partial }: { partial: boolean }): readonly BlobOfPart[] =>
  partial ? [index] : [index, changes, lines]

/** The last blob that a part of any version has: where it is, whoever ensures the run makes what comes after it appear. */
export const lastFollower = (plan: { partial: boolean }): BlobOfPart =>
  followers(plan).findLast(({ isRecent }) => isRecent !== true) ?? dataBlob
