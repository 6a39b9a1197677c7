import { expect, test } from 'vitest'
import { isConflict, toStorageError } from '../../../../shared/snapshots/storage/storage-errors.ts'

const refusal = (statusCode: number, code?: string): Error => Object.assign(new Error('refused'), { statusCode, code })

test.each([
  [409, 'BlobAlreadyExists'],
  [412, 'ConditionNotMet'],
  [412, 'TargetConditionNotMet'],
  [400, 'InvalidBlockList'],
  [412, undefined],
])('%i %s is a conflict with another write', (statusCode, code) => {
  expect(isConflict(refusal(statusCode, code))).toBe(true)
})

test.each([
  [409, 'BlobArchived'],
  [409, 'BlobBeingRehydrated'],
  [412, 'LeaseIdMissing'],
  [409, 'LeaseIdMismatchWithBlobOperation'],
  [409, 'BlobImmutableDueToPolicy'],
])('%i %s is no conflict, needs a person, and names the blob', (statusCode, code) => {
  const error = refusal(statusCode, code)
  expect(isConflict(error)).toBe(false)
  expect(toStorageError(error, 'pace.json')).toMatchObject({
    code: 'snapshot_blob_locked',
    status: 424,
    retryable: false,
    options: { target: 'pace.json' },
    message: expect.stringContaining('pace.json'),
  })
})

test.each([
  [503, 'ServerBusy', 'storage_unavailable'],
  [409, 'ContainerBeingDeleted', 'storage_unavailable'],
  [403, 'AuthorizationPermissionMismatch', 'app_misconfigured'],
])('%i %s is reported as %s', (statusCode, code, expected) => {
  expect(isConflict(refusal(statusCode, code))).toBe(false)
  expect(toStorageError(refusal(statusCode, code)).code).toBe(expected)
})
