import type { News } from '../../following/read-log.ts'
import { settlingMs } from '../../orders/settling.ts'

/**
 * Partner Center can omit an order from a customer's orders for 15 minutes after the log has recorded it. A customer
 * that was read within this time is read once more after it. The margin is twice as long.
 */
const recheckMs = 2 * settlingMs

/**
 * Customers whose last reading may not contain all recorded operations. Those with the oldest operations come first.
 */
export function dueCustomers(news: News, readings: ReadonlyMap<string, number>, now: number): string[] {
  const isDue = ([id, { at }]: [string, { at: number[] }]): boolean => {
    const readAt = readings.get(id)
    if (readAt === undefined) return true
    return at.some(each => each > readAt || (each <= now - recheckMs && readAt < each + recheckMs))
  }
  return [...news]
    .filter(isDue)
    .sort(([, a], [, b]) => (a.at[0] ?? 0) - (b.at[0] ?? 0))
    .map(([id]) => id)
}

/**
 * The oldest operation that the last reading of its customer may not contain. Operations before `oldest` do not count.
 */
export const firstUncovered = (at: readonly number[], readAt: number | undefined, oldest: number): number =>
  at.find(each => each >= oldest && (readAt === undefined || readAt < each + recheckMs)) ?? Number.POSITIVE_INFINITY
