import { AppError, isAppError } from '../../errors.ts'

/** Error codes of storage for a failed condition or an earlier write. */
const conflicts = ['ConditionNotMet', 'TargetConditionNotMet', 'BlobAlreadyExists', 'InvalidBlockList']

/** Error codes for a blob that is leased, immutable or archived. Only a person can change that. */
const locks = /^(Lease|BlobArchived|BlobBeingRehydrated|BlobImmutable|SnapshotsPresent)/

type ServiceError = { statusCode?: number; code?: string }

const serviceError = (error: unknown): ServiceError => (error instanceof Error ? (error as ServiceError) : {})

/** True if a conditional write was refused because of its condition. Another try on the present blob can succeed. */
export const isConflict = (error: unknown): boolean => {
  const { statusCode, code } = serviceError(error)
  // Some responses, such as those to HEAD, have no code. A 412 without a code still means the condition.
  return code === undefined || code === '' ? statusCode === 412 : conflicts.includes(code)
}

/** The range starts at or after the end of the blob. */
export const isOutOfRange = (error: unknown): boolean => serviceError(error).statusCode === 416

export const isMissing = (error: unknown): boolean => serviceError(error).statusCode === 404

export const isContainerMissing = (error: unknown): boolean => serviceError(error).code === 'ContainerNotFound'

/** The error that a failed storage call means to a caller. */
export function toStorageError(error: unknown, blob?: string): AppError {
  if (isAppError(error)) return error
  const { statusCode, code = '' } = serviceError(error)
  if (locks.test(code)) {
    return new AppError(
      'snapshot_blob_locked',
      `Storage refuses the blob ${blob ?? 'that was asked for'} (${code}). Break its lease, move it back to the hot tier, or remove the policy that protects it, then try again.`,
      { ...(blob === undefined ? {} : { target: blob }), cause: error },
    )
  }
  if (statusCode === 401 || statusCode === 403) {
    return new AppError(
      'app_misconfigured',
      `Storage refuses the app (${code === '' ? statusCode : code}). Give its identity the roles Storage Blob Data Contributor and Storage Queue Data Contributor, and check the account's firewall.`,
      { cause: error },
    )
  }
  return new AppError('storage_unavailable', 'Storage cannot be reached. Try again in 30 seconds.', {
    retryAfterSeconds: 30,
    cause: error,
  })
}

export const corrupt = (blob: string, cause?: unknown): AppError =>
  new AppError(
    'snapshot_corrupt',
    `The blob ${blob} of the snapshot is missing or damaged. Restore an earlier version of it, or ask for another day.`,
    { target: blob, cause },
  )

/** True for a damaged, missing or locked blob. A retry does not help, and a person has to fix it. */
export const isUnreadable = (error: unknown): error is AppError =>
  isAppError(error) && (error.code === 'snapshot_corrupt' || error.code === 'snapshot_blob_locked')
