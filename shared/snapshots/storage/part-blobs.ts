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

/** The blobs of a part. */
export type BlobKind = 'data' | 'index' | 'changes' | 'lines'

export type BlobOfPart = {
  kind: BlobKind
  contentType: string
  nameOf: (run: RunPlace, part: number) => string
  /** The prefix of these blobs' names. No other blob has it. */
  prefixOf: (run: RunPlace) => string
  /** True if parts of earlier versions are complete without this blob. */
  isRecent?: true
}

const gzip = 'application/gzip'

/** The blob whose commit decides: its attempt owns the other blobs of the part. */
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
 * The blobs that are committed after the data, in this order. A run over some customers has no changes and no lines,
 * because a reader of lines could take them for those of all customers.
 */
export const followers = ({ partial }: { partial: boolean }): readonly BlobOfPart[] =>
  partial ? [index] : [index, changes, lines]

/** The last blob that a part of any version has. When it exists, `ensure` can complete the part. */
export const lastFollower = (plan: { partial: boolean }): BlobOfPart =>
  followers(plan).findLast(({ isRecent }) => isRecent !== true) ?? dataBlob
