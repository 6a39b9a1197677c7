import { caseId, type FailureCase, type Fault, failureCases } from './failure-cases.ts'
import type { PartnerCenter } from './partner-center.ts'
import { sampleOrder } from './sample-data.ts'

export type ListedCase = Omit<FailureCase, 'fault'> & { id: string; isListed: boolean }

/** Customers that fail. They can be in the list of customers or not. A request by id works in both cases. */
export type ListedCases = {
  all: () => ListedCase[]
  /** Adds a case to the list of customers, or removes it. False if there is no such case. */
  list: (digits: number, isListed: boolean) => boolean
  /** Makes the listed cases succeed, or fail again. */
  setFailing: (isFailing: boolean) => void
}

/** The orders of a case while it succeeds. */
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
