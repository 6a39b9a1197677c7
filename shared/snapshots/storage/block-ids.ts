import { randomBytes } from 'node:crypto'

/** Distinguishes the blocks of two workers that write the same blob. */
export const newAttempt = (): string => randomBytes(4).toString('hex')

/** The id of a block. All block ids of a blob must have the same length. */
export const blockId = (attempt: string, block: number): string => `${attempt}-${String(block).padStart(6, '0')}`
