import { caseId, type FailureCase, type Fault, failureCases } from './failure-cases.ts'
import type { PartnerCenter } from './partner-center.ts'
import { sampleOrder } from './sample-data.ts'

export type ListedCase = Omit<FailureCase, 'fault'> & { id: string; isListed: boolean }

/** Customers that fail, in the list of customers or not; asked for by their id, they answer in either case. */
export type ListedCases = {
  all: () => ListedCase[]
  /** Puts a case into the list of customers or takes it out; false if there is no such case. */
  list: (digits: number, isListed: boolean) => boolean
  /** Lets the cases that are listed answer well, or fail again. */
  setFailing: (isFailing: boolean) => void
}

/** Orders that a case has for as long as it answers well. */
const ordersEach = 3

export function createListedCases(partnerCenter: PartnerCenter, listed: readonly number[]): ListedCases {
  const cases = failureCases()
  const faults = new Map<string, Fault>()
  const isListed = (id: string) => partnerCenter.customers.some(customer => customer.id === id)

  function list(digits: number, wanted: boolean): boolean {
    const found = cases.find(each => each.digits === digits)
    if (found === undefined) return false
    const id = caseId(digits)
    if (isListed(id) === wanted) return true
    if (wanted) {
      partnerCenter.customers.push({
        id,
        companyName: `Example: ${found.what}`,
        domain: `example${digits}.example`,
        relationship: 'reseller',
        orders: Array.from({ length: ordersEach }, (_, number) => sampleOrder(id, number)),
      })
    } else {
      partnerCenter.customers.splice(
        partnerCenter.customers.findIndex(customer => customer.id === id),
        1,
      )
    }
    return true
  }

  for (const digits of listed) list(digits, true)
  return {
    all: () =>
      cases.map(({ fault: _, ...each }) => ({
        ...each,
        id: caseId(each.digits),
        isListed: isListed(caseId(each.digits)),
      })),
    list,
    setFailing(isFailing) {
      if (isFailing) {
        for (const [id, fault] of faults) partnerCenter.faults.set(id, fault)
        return faults.clear()
      }
      for (const [id, fault] of partnerCenter.faults) if (isListed(id)) faults.set(id, fault)
      for (const id of faults.keys()) partnerCenter.faults.delete(id)
    },
  }
}
