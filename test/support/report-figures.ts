import type { Figures } from '../../shared/report/figures.ts'

const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at))

const guid = (at: number): string => `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`

/**
 * Figures with every list and every field. Calls `text` for every text that comes from data: names, messages, products,
 * codes of statuses, ids of orders.
 */
export function fullFigures(text: () => string): Figures {
  const customer = (at: number) => ({ customerTenantId: guid(at), customerName: text() })
  const group = () => ({ name: text(), orders: 12_345, lines: 23_456, seats: 345_678 })
  const day = (at: number) => new Date(Date.UTC(2026, 9, 1 + at, 0, 20)).toISOString()
  const [startedAt, finishedAt] = ['2026-11-20T00:20:00.000Z', '2026-11-20T00:43:21.000Z']
  return {
    writtenAt: finishedAt,
    run: {
      snapshotId: '20261120T002000Z',
      status: 'failed',
      trigger: 'timer',
      startedAt,
      finishedAt,
      asOf: startedAt,
      completeThrough: '2026-11-20T00:05:00.000Z',
      customers: { planned: 10_000, read: 8000, failed: 1500 },
      orders: 200_000,
      bytes: 123_456_789,
      changes: { created: 1000, updated: 2000, removed: 300 },
      error: { code: 'snapshot_failed', message: text() },
    },
    isPartial: false,
    customers: { planned: 10_000, read: 8000, failed: 1500, gone: 500 },
    before: { snapshotId: '20261119T002000Z' },
    changes: {
      counts: { created: 1000, updated: 2000, removed: 300 },
      customers: 1234,
      seats: -4567,
      largest: many(25, at => ({
        ...customer(at),
        kind: (['created', 'updated', 'removed'] as const)[at % 3] ?? 'created',
        orderId: text(),
        products: at % 5 === 4 ? [] : many(4, text),
        seatsBefore: at % 2 === 0 ? 10 : 20,
        seatsAfter: 10,
        changedMembers: many(6, text),
      })),
    },
    failures: {
      total: 1500,
      groups: many(8, at => ({
        code: at === 0 ? 'no_customer_relationship' : text(),
        count: 100 + at,
        customers: many(5, place => ({
          ...customer(100 + at * 10 + place),
          message: text(),
          lastRead: '20261101T002000Z',
        })),
      })),
    },
    gone: many(20, at => customer(500 + at)),
    history: many(30, at => ({
      snapshotId: '20261101T002000Z',
      status: (['succeeded', 'completedWithErrors', 'failed'] as const)[at % 3] ?? 'failed',
      startedAt: day(at),
      durationMs: 1_200_000 + at * 1000,
      failed: at * 100,
      changes: at * 1000,
    })),
    lines: {
      orders: 199_000,
      lines: 398_000,
      seats: 12_345_678,
      byStatus: many(8, group),
      byBillingCycle: many(8, group),
      byCurrency: many(8, () => ({ ...group(), value: 1_234_567.89, priced: 12_000 })),
      months: many(24, at => ({
        month: new Date(Date.UTC(2024, 11 + at, 1)).toISOString().slice(0, 7),
        orders: at * 321,
        seats: at * 4321,
      })),
      earlier: { orders: 4321, seats: 54_321 },
      undated: 12,
    },
    credential: {
      kind: 'secret',
      secrets: [{ name: text(), expiresAt: '2026-12-01T00:00:00.000Z', daysLeft: 11 }],
    },
  }
}
