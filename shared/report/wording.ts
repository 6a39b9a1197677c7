import { type ErrorCode, errorKinds } from '../errors.ts'
import { type FailureGroup, type Figures, isMissing } from './figures.ts'
import { shown } from './markup.ts'

const numbers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const money = new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
const signed = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0, signDisplay: 'exceptZero' })
const days = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' })
const shortDays = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
const months = new Intl.DateTimeFormat('en-GB', { month: 'short', year: 'numeric', timeZone: 'UTC' })

export const count = (value: number): string => numbers.format(value)
export const amount = (value: number): string => money.format(value)
/** Formats a number with its sign. The minus sign is a real minus, not a hyphen. */
export const difference = (value: number): string => signed.format(value).replace('-', '−')

/** `1 customer`, `2 customers`. */
export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`

export const day = (timestamp: string): string => days.format(new Date(timestamp))
export const shortDay = (timestamp: string): string => shortDays.format(new Date(timestamp))
export const clock = (timestamp: string): string => `${new Date(timestamp).toISOString().slice(11, 16)} UTC`
export const dayAndTime = (timestamp: string): string => `${day(timestamp)}, ${clock(timestamp)}`
/** `2026-11` as `Nov 2026`. */
export const month = (value: string): string => months.format(new Date(`${value}-01T00:00:00Z`))

/** `20261120T002000Z` as a timestamp. */
export const timestampOf = (snapshotId: string): string =>
  snapshotId.replace(/^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/, '$1-$2-$3T$4:$5:$6Z')

export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** The word and the color for each status of a run. */
export const outcomes = {
  running: { word: 'Running', tone: 'warn' },
  succeeded: { word: 'Complete', tone: 'good' },
  completedWithErrors: { word: 'Incomplete', tone: 'warn' },
  failed: { word: 'Failed', tone: 'bad' },
} as const

/** One sentence about completeness, and one about changes. */
export function statusSentence({ run, customers, changes }: Figures): string {
  const { planned, read, failed } = customers
  if (run.status === 'failed') {
    const why = shown(run.error?.message ?? 'The snapshot failed.', 300)
    return read === 0 ? why : `${why} ${count(read)} of ${plural(planned, 'customer')} had been read until then.`
  }
  const whole =
    failed === 0
      ? `${planned === 1 ? 'The only customer was' : `All ${plural(planned, 'customer')} were`} read, with ${plural(run.orders, 'order')}.`
      : `${count(failed)} of ${plural(planned, 'customer')} could not be read.`
  return `${planned === 0 ? 'There are no customers.' : whole} ${changesSentence(changes)}`.trim()
}

function changesSentence(changes: Figures['changes']): string {
  if (isMissing(changes)) return ''
  const { created, updated, removed } = changes.counts
  if (created + updated + removed === 0) return 'No order has changed since the run before.'
  return `Since the run before, ${plural(created, 'order')} ${created === 1 ? 'is' : 'are'} new, ${count(updated)} changed and ${count(removed)} disappeared.`
}

/** Why there are no changes to show. */
export const noChanges = {
  'first run': 'This is the first run. The next one shows what has changed since.',
  'failed run': 'A run that failed tells no changes. The next one that does not fail compares with the last good one.',
  'some customers': 'A run over some customers tells no changes.',
  damaged: 'The changes of this run cannot be read: a blob of them is missing or damaged.',
} as const

/** Why there are no order lines to show. */
export function noOrders({ status, orders }: Figures['run']): string {
  if (orders > 0) return 'No order has a line.'
  return status === 'failed' ? 'No orders were read.' : 'There are no orders.'
}

/** What to do about customers that could not be read, by error code. */
const nextSteps: Partial<Record<ErrorCode, string>> = {
  no_customer_relationship:
    'Ask these customers to accept a reseller relationship, or end their relationship in Partner Center if they have left.',
  partner_center_forbidden:
    'Check in Partner Center that the app or user has the role admin agent or sales agent for these customers.',
  customer_not_found:
    'Check whether these customers still exist in Partner Center. If they do not, nothing needs to be done.',
  credential_rejected: 'Check the relationship with these customers and the role that it grants to the app.',
  partner_center_throttled:
    'Nothing, if it happens once. If it happens again, lower PARTNER_CENTER_REQUESTS_PER_MINUTE or move the schedule to a quieter hour.',
  partner_center_unavailable:
    'Nothing, if it happens once: the next run reads these customers again. To read them now, call start-snapshot with failedOf=latest.',
  deadline_exceeded:
    'To read these customers again now, call start-snapshot with failedOf=latest. If it fails again, raise REQUEST_DEADLINE_SECONDS.',
  partner_center_invalid_response:
    'To read these customers again now, call start-snapshot with failedOf=latest. If it fails again, report the customer to Partner Center support.',
  snapshot_failed: 'Fix why the run ended, then take a new snapshot with start-snapshot.',
  snapshot_cancelled: 'Somebody cancelled the run. Take a new snapshot with start-snapshot.',
  internal_error: 'Look into the log of the app for these customers, and report the error.',
}

export const nextStepOf = ({ code }: FailureGroup): string =>
  nextSteps[code as ErrorCode] ??
  'Read the message of each customer. To read them again now, call start-snapshot with failedOf=latest.'

/** The title of a group of failed customers. */
export const titleOf = ({ code }: FailureGroup): string =>
  code in errorKinds ? errorKinds[code as ErrorCode].title : shown(code, 60)

/** The days before the expiry of a credential from which it needs attention. */
const warnDays = 30

/** What a person must do about the credential (`needs`), and its state (`says`). */
export function credentialState({ credential }: Figures): { needs?: string; says?: string } {
  if (credential === undefined) return {}
  if (credential.error !== undefined) return { needs: credential.error.message }
  const dated = credential.secrets.flatMap(({ name, daysLeft, expiresAt }) =>
    daysLeft === undefined || expiresAt === undefined ? [] : [{ name, daysLeft, expiresAt }],
  )
  const first = dated.sort((a, b) => a.daysLeft - b.daysLeft)[0]
  if (first === undefined) return { says: 'No date is known on which the credential expires.' }
  const when =
    first.daysLeft < 0
      ? `expired on ${day(first.expiresAt)}`
      : `expires in ${plural(first.daysLeft, 'day')}, on ${day(first.expiresAt)}`
  const says = `${first.name} ${when}.`
  return first.daysLeft <= warnDays ? { needs: `${says} Store a new one in Key Vault before that.`, says } : { says }
}
