import { isAppError, isCredentialFailure } from '../../errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { OperationContext } from '../../runtime/operation.ts'

/** True if Partner Center accepts the credential for the customer list. A refusal then concerns only one customer. */
export type CredentialProbe = (operation: OperationContext) => Promise<boolean>

type Options = {
  /** Requests one row of the customer list. */
  readList: (operation: OperationContext) => Promise<unknown>
  clock: Clock
}

/** How long a positive result is kept. Many customers can refuse the app at once. */
const goodForMs = 60_000

export function createCredentialProbe({ readList, clock }: Options): CredentialProbe {
  let acceptedAt = Number.NEGATIVE_INFINITY
  return async operation => {
    if (clock.now() - acceptedAt < goodForMs) return true
    try {
      await readList(operation)
    } catch (error) {
      if (isAppError(error) && isCredentialFailure(error)) return false
      // An outage says nothing about the credential. The customer keeps its failure, and the next one runs the probe
      // again.
      return true
    }
    acceptedAt = clock.now()
    return true
  }
}
