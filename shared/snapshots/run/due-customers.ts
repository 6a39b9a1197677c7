import type { News } from '../../following/read-log.ts'

/**
 * An order may be missing from the orders of its customer for a quarter of an hour after the log has told of it: who was
 * read within this time is read once more after it.
 */
const settlingMs = 30 * 60_000

/** Customers whose news no reading holds for certain, those with the oldest news first. */
export function dueCustomers(news: News, readings: ReadonlyMap<string, number>, now: number): string[] {
  const isDue = ([id, { at }]: [string, { at: number[] }]): boolean => {
    const readAt = readings.get(id)
    if (readAt === undefined) return true
    return at.some(each => each > readAt || (each <= now - settlingMs && readAt < each + settlingMs))
  }
  return [...news]
    .filter(isDue)
    .sort(([, a], [, b]) => (a.at[0] ?? 0) - (b.at[0] ?? 0))
    .map(([id]) => id)
}

/** The oldest of a customer's news that its last reading may not hold, of those that are not too old to wait for. */
export const firstUncovered = (at: readonly number[], readAt: number | undefined, oldest: number): number =>
  at.find(each => each >= oldest && (readAt === undefined || readAt < each + settlingMs)) ?? Number.POSITIVE_INFINITY
