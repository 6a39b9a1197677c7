import type { FaultName } from './faults.ts'

export const dependencies = ['upstream', 'authority', 'vault', 'identity', 'blob', 'queue'] as const
export type Dependency = (typeof dependencies)[number]

/** The setting `REQUEST_DEADLINE_SECONDS` of the host that reads. */
export const readDeadlineSeconds = 3
/** Seconds that one piece of work in the background has in these tests; on the platform it is minutes. */
export const workSeconds = 6

/** What the app does in a cell, and which dependencies it asks for that. */
export const operations = {
  read: ['upstream', 'authority', 'vault', 'identity', 'blob'],
  plan: ['upstream', 'authority', 'vault', 'identity', 'blob', 'queue'],
  part: ['upstream', 'blob'],
  follow: ['upstream', 'authority', 'vault', 'identity', 'blob', 'queue'],
  renew: ['authority', 'vault', 'identity'],
} as const satisfies Record<string, readonly Dependency[]>
export type OperationName = keyof typeof operations

/** Faults that mean the same to the app. */
const kinds = {
  passing: [
    'reset once',
    'silent once',
    'status 503 once',
    'status 429 once, Retry-After 1',
    'byte-order mark',
    'clock a day behind',
  ],
  outage: [
    'connection refused',
    'reset before the headers',
    'reset in the body',
    'cut in the body',
    'not HTTP',
    'status 500',
    'status 503',
  ],
  slow: ['silent', 'silent in the body', 'dripping, a byte at a time'],
  throttled: ['status 429', 'status 429, Retry-After 60'],
  refused: ['status 400', 'status 401', 'status 403', 'status 404'],
  unusable: [
    'garbage for a body',
    'HTML for a body',
    'JSON of another form',
    'gzip that is none',
    'UTF-16',
    'huge',
    'exploding',
  ],
} as const satisfies Record<string, readonly FaultName[]>
type Kind = keyof typeof kinds

const kindOf = new Map<FaultName, Kind>(
  (Object.entries(kinds) as [Kind, readonly FaultName[]][]).flatMap(([kind, faults]) =>
    faults.map((fault): [FaultName, Kind] => [fault, kind]),
  ),
)

/** An outcome, or two that chance decides between, such as whether the last try or the deadline comes first. */
type Expected = string | readonly [string, string]

/** What is expected of each kind of fault, and of single faults that mean something else to this dependency. */
type Column = Record<Kind, Expected> & Partial<Record<FaultName, Expected>>

type Expectations = { [Operation in OperationName]: Record<(typeof operations)[Operation][number], Column> }

/** Every cell of the matrix, from the error table of docs/reference.md. */
const expectations: Expectations = {
  read: {
    upstream: {
      passing: '200',
      outage: '503 partner_center_unavailable',
      slow: '503 deadline_exceeded',
      throttled: '429 partner_center_throttled',
      refused: '502 partner_center_invalid_response',
      'status 401': '424 credential_rejected',
      'status 403': '403 partner_center_forbidden',
      unusable: '502 partner_center_invalid_response',
    },
    authority: {
      passing: '200',
      outage: '503 authority_unavailable',
      slow: ['503 deadline_exceeded', '503 authority_unavailable'],
      throttled: '503 authority_unavailable',
      refused: '424 credential_rejected',
      unusable: ['503 authority_unavailable', '503 deadline_exceeded'],
    },
    vault: {
      passing: '200',
      outage: '503 key_vault_unavailable',
      slow: '503 deadline_exceeded',
      throttled: ['503 key_vault_unavailable', '503 deadline_exceeded'],
      refused: '424 key_vault_refused',
      unusable: '503 key_vault_unavailable',
    },
    identity: {
      passing: '200',
      outage: ['503 key_vault_unavailable', '503 deadline_exceeded'],
      slow: '503 deadline_exceeded',
      throttled: ['503 key_vault_unavailable', '503 deadline_exceeded'],
      refused: ['503 key_vault_unavailable', '503 deadline_exceeded'],
      'status 400': '424 key_vault_refused',
      unusable: '503 key_vault_unavailable',
    },
    blob: {
      passing: '200',
      outage: ['503 storage_unavailable', '503 deadline_exceeded'],
      slow: '503 deadline_exceeded',
      throttled: '503 storage_unavailable',
      refused: '500 app_misconfigured',
      unusable: '503 storage_unavailable',
      'status 400': '503 storage_unavailable',
      'status 404': '404 snapshot_not_found',
      'status 429 once, Retry-After 1': '503 storage_unavailable',
      'byte-order mark': '500 snapshot_corrupt',
    },
  },
  plan: {
    upstream: {
      passing: 'succeeded',
      outage: 'failed: snapshot_failed',
      slow: 'failed: snapshot_failed',
      throttled: 'failed: snapshot_failed',
      refused: 'failed: snapshot_failed',
      'status 401': 'failed: credential_rejected',
      unusable: 'failed: snapshot_failed',
    },
    authority: {
      passing: 'succeeded',
      outage: 'failed: snapshot_failed',
      slow: 'failed: snapshot_failed',
      throttled: 'failed: snapshot_failed',
      refused: 'failed: credential_rejected',
      unusable: 'failed: snapshot_failed',
    },
    vault: {
      passing: 'succeeded',
      outage: 'failed: snapshot_failed',
      slow: 'failed: snapshot_failed',
      throttled: 'failed: snapshot_failed',
      refused: 'failed: key_vault_refused',
      unusable: 'failed: snapshot_failed',
    },
    identity: {
      passing: 'succeeded',
      outage: 'failed: snapshot_failed',
      slow: 'failed: snapshot_failed',
      throttled: 'failed: snapshot_failed',
      refused: 'failed: snapshot_failed',
      'status 400': 'failed: key_vault_refused',
      unusable: 'failed: snapshot_failed',
    },
    blob: {
      passing: 'succeeded',
      outage: ['not started: storage_unavailable', 'not started: deadline_exceeded'],
      slow: ['not started: storage_unavailable', 'not started: deadline_exceeded'],
      throttled: 'not started: storage_unavailable',
      refused: 'not started: app_misconfigured',
      unusable: 'not started: storage_unavailable',
      'status 400': 'not started: storage_unavailable',
      'status 404': 'not started: storage_unavailable',
      'status 429 once, Retry-After 1': 'not started: storage_unavailable',
      'byte-order mark': 'lost',
    },
    queue: {
      passing: 'succeeded',
      outage: ['not started: storage_unavailable', 'not started: deadline_exceeded'],
      slow: 'not started: deadline_exceeded',
      throttled: 'not started: storage_unavailable',
      refused: 'not started: app_misconfigured',
      unusable: 'not started: storage_unavailable',
      'status 400': 'not started: storage_unavailable',
      'status 404': 'not started: storage_unavailable',
      'status 429 once, Retry-After 1': 'not started: storage_unavailable',
      'UTF-16': 'succeeded',
    },
  },
  part: {
    upstream: {
      passing: 'succeeded',
      outage: 'failed: snapshot_failed',
      slow: 'failed: snapshot_failed',
      throttled: 'failed: snapshot_failed',
      refused: 'failed: snapshot_failed',
      'status 401': 'failed: credential_rejected',
      unusable: 'failed: snapshot_failed',
    },
    blob: {
      passing: 'succeeded',
      outage: 'failed: snapshot_failed',
      slow: 'failed: snapshot_failed',
      throttled: 'failed: snapshot_failed',
      refused: 'failed: snapshot_failed',
      unusable: 'failed: snapshot_failed',
      'status 404': 'lost',
      'UTF-16': 'lost',
      'byte-order mark': 'lost',
    },
  },
  follow: {
    upstream: {
      passing: 'looked',
      outage: 'noted: partner_center_unavailable',
      slow: 'deadline_exceeded',
      throttled: 'noted: partner_center_throttled',
      refused: 'noted: partner_center_invalid_response',
      'status 401': 'noted: credential_rejected',
      'status 403': 'noted: partner_center_forbidden',
      unusable: 'noted: partner_center_invalid_response',
    },
    authority: {
      passing: 'looked',
      outage: 'noted: authority_unavailable',
      slow: ['noted: authority_unavailable', 'deadline_exceeded'],
      throttled: 'noted: authority_unavailable',
      refused: 'noted: credential_rejected',
      unusable: ['noted: authority_unavailable', 'deadline_exceeded'],
    },
    vault: {
      passing: 'looked',
      outage: 'noted: key_vault_unavailable',
      slow: 'deadline_exceeded',
      throttled: ['noted: key_vault_unavailable', 'deadline_exceeded'],
      refused: 'noted: key_vault_refused',
      unusable: 'noted: key_vault_unavailable',
    },
    identity: {
      passing: 'looked',
      outage: ['noted: key_vault_unavailable', 'deadline_exceeded'],
      slow: 'deadline_exceeded',
      throttled: ['noted: key_vault_unavailable', 'deadline_exceeded'],
      refused: ['noted: key_vault_unavailable', 'deadline_exceeded'],
      'status 400': 'noted: key_vault_refused',
      unusable: 'noted: key_vault_unavailable',
    },
    blob: {
      passing: 'looked',
      outage: ['storage_unavailable', 'deadline_exceeded'],
      slow: ['storage_unavailable', 'deadline_exceeded'],
      throttled: 'storage_unavailable',
      refused: 'app_misconfigured',
      unusable: 'storage_unavailable',
      'status 400': 'storage_unavailable',
      'status 404': 'looked',
      'status 429 once, Retry-After 1': 'storage_unavailable',
      'UTF-16': 'looked',
    },
    queue: {
      passing: 'looked',
      outage: ['storage_unavailable', 'deadline_exceeded'],
      slow: 'deadline_exceeded',
      throttled: 'storage_unavailable',
      refused: 'app_misconfigured',
      unusable: 'storage_unavailable',
      'status 400': 'storage_unavailable',
      'status 404': 'storage_unavailable',
      'status 429 once, Retry-After 1': 'storage_unavailable',
      'UTF-16': 'looked',
    },
  },
  renew: {
    authority: {
      passing: 'renewed',
      outage: 'authority_unavailable',
      slow: ['authority_unavailable', 'deadline_exceeded'],
      throttled: 'authority_unavailable',
      refused: 'credential_rejected',
      unusable: ['authority_unavailable', 'deadline_exceeded'],
    },
    vault: {
      passing: 'renewed',
      outage: 'key_vault_unavailable',
      slow: 'deadline_exceeded',
      throttled: ['key_vault_unavailable', 'deadline_exceeded'],
      refused: 'key_vault_refused',
      unusable: 'key_vault_unavailable',
    },
    identity: {
      passing: 'renewed',
      outage: ['key_vault_unavailable', 'deadline_exceeded'],
      slow: 'deadline_exceeded',
      throttled: ['key_vault_unavailable', 'deadline_exceeded'],
      refused: ['key_vault_unavailable', 'deadline_exceeded'],
      'status 400': 'key_vault_refused',
      unusable: 'key_vault_unavailable',
    },
  },
}

export type Cell = { operation: OperationName; dependency: Dependency; fault: FaultName }

/** The outcomes that a cell may have. */
export function expectedOf({ operation, dependency, fault }: Cell): readonly string[] {
  const kind = kindOf.get(fault)
  const column = (expectations[operation] as Partial<Record<Dependency, Column>>)[dependency]
  const expected = column === undefined || kind === undefined ? undefined : (column[fault] ?? column[kind])
  if (expected === undefined) throw new Error(`Nothing is expected of ${operation}, ${dependency}: ${fault}`)
  return typeof expected === 'string' ? [expected] : expected
}

/** Milliseconds that a cell may take: its deadline, a second, and two for a busy machine. */
export function mostMs({ operation }: Cell): number | undefined {
  if (operation === 'read') return (readDeadlineSeconds + 3) * 1000
  // The others are many pieces of work, each with a deadline of its own.
  return operation === 'follow' || operation === 'renew' ? (workSeconds + 3) * 1000 : undefined
}
