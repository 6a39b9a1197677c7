import { isAppError, isCredentialFailure } from '../../errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { OperationContext } from '../../runtime/operation.ts'

/** True if Partner Center takes the credential for the customer list, so that a refusal is one customer's. */
export type CredentialProbe = (operation: OperationContext) => Promise<boolean>

type Options = {
  /** Asks for as little of the customer list as there is. */
  readList: (operation: OperationContext) => Promise<unknown>
  clock: Clock
}

/** For how long the answer is taken for granted: many customers can refuse the app at once. */
const goodForMs = 60_000

export function createCredentialProbe({ readList, clock }: Options): CredentialProbe {
  let acceptedAt = Number.NEGATIVE_INFINITY
  return async operation => {
    if (clock.now() - acceptedAt < goodForMs) return true
    try {
      await readList(operation)
    } catch (error) {
      if (isAppError(error) && isCredentialFailure(error)) return false
      // An outage says nothing of the credential. The customer stays with its failure, and the next one asks again.
      return true
    }
    acceptedAt = clock.now()
    return true
  }
}
