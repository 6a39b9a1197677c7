import type { Failure, Snapshot } from '../snapshots/storage/shapes.ts'

/** The data of a report. Its size is bounded for runs of any size. */
export type Figures = {
  /** When the figures were gathered, ISO 8601. */
  writtenAt: string
  run: Snapshot & { error?: Failure }
  /** True for a run over some customers, which has no changes. */
  isPartial: boolean
  customers: { planned: number; read: number; failed: number; gone: number }
  /** The run that this one is compared with. Absent for a first run. */
  before?: { snapshotId: string }
  changes: ChangeFigures | Missing
  failures: FailureFigures
  /** Listed customers that are no longer customers of the partner. */
  gone: CustomerName[]
  /** The runs over all customers up to this one, the oldest first. */
  history: HistoryRun[]
  lines: LineFigures | Missing
  /** Absent if the state of the credential is unknown. */
  credential?: CredentialFigures
}

/** Why a part of the figures is missing. */
export type Missing = { missing: 'first run' | 'failed run' | 'some customers' | 'damaged' }

export const isMissing = (figures: object): figures is Missing => 'missing' in figures

export type CustomerName = { customerTenantId: string; customerName: string }

export type ChangeFigures = {
  counts: { created: number; updated: number; removed: number }
  /** Customers with a change. */
  customers: number
  /** Seats of the created orders, minus those of the removed orders, plus the differences of the updated ones. */
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
  /** The listed customers, with the run that last read each of them. */
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
  /** Sum of the prices of the orders with a known price, and the number of these orders. */
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
  /** The months up to the month of the run, oldest first. */
  months: Month[]
  /** Orders of earlier months, and orders without a date. */
  earlier: { orders: number; seats: number }
  undated: number
}

export type CredentialFigures = {
  kind: string
  secrets: { name: string; expiresAt?: string; daysLeft?: number }[]
  error?: Failure
}
