import { changesBlob, changesFolder, indexBlob, partBlob, type RunPlace, runFolder } from './layout.ts'

/** What a part consists of. */
export type BlobKind = 'data' | 'index' | 'changes'

export type BlobOfPart = {
  kind: BlobKind
  contentType: string
  nameOf: (run: RunPlace, part: number) => string
  /** Begins the names of these blobs of all parts, and of no others. */
  prefixOf: (run: RunPlace) => string
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

/** The blobs that follow the decision, in the order in which they appear. A run over some customers tells no changes. */
export const followers = ({ partial }: { partial: boolean }): readonly BlobOfPart[] =>
  partial ? [index] : [index, changes]

/** The blob whose presence says that a part is done. */
export const lastFollower = (plan: { partial: boolean }): BlobOfPart => followers(plan).at(-1) ?? dataBlob
