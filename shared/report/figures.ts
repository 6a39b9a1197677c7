import type { Failure, Snapshot } from '../snapshots/storage/shapes.ts'

/** Everything that a report shows, as plain data: bounded, whatever the size of the run. */
export type Figures = {
  /** When the figures were gathered, ISO 8601. */
  writtenAt: string
  run: Snapshot & { error?: Failure }
  /** True for a run over some customers, which tells no changes. */
  isPartial: boolean
  customers: { planned: number; read: number; failed: number; gone: number }
  /** The run that the changes are found against; absent for a first run. */
  before?: { snapshotId: string }
  changes: ChangeFigures | Missing
  failures: FailureFigures
  /** Customers that are no longer the partner's, as far as they are listed. */
  gone: CustomerName[]
  /** The runs over all customers up to this one, the oldest first. */
  history: HistoryRun[]
  lines: LineFigures | Missing
  /** Absent if nobody could say. */
  credential?: CredentialFigures
}

/** Why a part of the figures is not known. */
export type Missing = { missing: 'first run' | 'failed run' | 'some customers' | 'damaged' }

export const isMissing = (figures: object): figures is Missing => 'missing' in figures

export type CustomerName = { customerTenantId: string; customerName: string }

export type ChangeFigures = {
  counts: { created: number; updated: number; removed: number }
  /** Customers with a change. */
  customers: number
  /** Seats of the new, less those of the removed orders, and what updates added. */
  seats: number
  /** The largest, by seats. */
  largest: ChangeRow[]
}

export type ChangeRow = CustomerName & {
  kind: 'created' | 'updated' | 'removed'
  orderId: string
  /** Names of the products, each once. */
  products: string[]
  seatsBefore: number
  seatsAfter: number
  changedMembers: string[]
}

export type FailureFigures = {
  total: number
  groups: FailureGroup[]
}

/** Customers that failed for one reason. */
export type FailureGroup = {
  code: string
  count: number
  /** Those that are listed, with the run that last read them. */
  customers: (CustomerName & { message: string; lastRead?: string })[]
}

export type HistoryRun = {
  snapshotId: string
  status: Snapshot['status']
  startedAt: string
  durationMs: number
  failed: number
  changes: number
}

/** Order lines of one status, billing cycle or currency. */
export type Group = { name: string; orders: number; lines: number; seats: number }

export type CurrencyGroup = Group & {
  /** Sum of the prices of the orders whose price is known, and how many those are. */
  value: number
  priced: number
}

export type Month = { month: string; orders: number; seats: number }

export type LineFigures = {
  /** Orders with at least one line. */
  orders: number
  lines: number
  seats: number
  byStatus: Group[]
  byBillingCycle: Group[]
  byCurrency: CurrencyGroup[]
  /** The months up to that of the run, the oldest first. */
  months: Month[]
  /** Orders of earlier months, and of no known date. */
  earlier: { orders: number; seats: number }
  undated: number
}

export type CredentialFigures = {
  kind: string
  secrets: { name: string; expiresAt?: string; daysLeft?: number }[]
  error?: Failure
}
