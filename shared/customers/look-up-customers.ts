import { AppError, isAppError } from '../errors.ts'
import { type Customer, readCustomer } from '../partner-center/customers.ts'
import type { RequestPartnerCenter } from '../partner-center/request.ts'
import type { OperationContext } from '../runtime/operation.ts'
import type { ListCustomers } from './customer-list.ts'

/** Returns the customers with these tenant ids. Rejects with `invalid_request` that names the unknown ids. */
export type LookUpCustomers = (customerTenantIds: readonly string[], operation: OperationContext) => Promise<Customer[]>

type Options = { request: RequestPartnerCenter; listCustomers: ListCustomers }

const unknownCustomer = [
  'customer_not_found',
  'order_not_found',
  'no_customer_relationship',
  'partner_center_invalid_response',
]

/** The most ids in the message. The details list all of them. */
const mostNamed = 5

/**
 * Reads each customer by id, which for a few customers is much faster than the whole list. An id that is not found this
 * way is looked up in the list, because the list is authoritative.
 */
export function createLookUpCustomers({ request, listCustomers }: Options): LookUpCustomers {
  const read = async (id: string, operation: OperationContext): Promise<Customer | undefined> => {
    try {
      return await readCustomer(request, id, operation)
    } catch (error) {
      if (isAppError(error) && unknownCustomer.includes(error.code)) return undefined
      throw error
    }
  }

  return async (ids, operation) => {
    const found = await Promise.all(ids.map(async id => (await read(id, operation)) ?? id))
    if (found.every(each => typeof each !== 'string')) return found
    const listed = new Map(
      (await listCustomers(undefined, operation)).map(customer => [customer.customerTenantId, customer]),
    )
    const customers = found.map(each => (typeof each === 'string' ? (listed.get(each) ?? each) : each))
    const unknown = customers.filter(each => typeof each === 'string')
    if (unknown.length > 0) throw unknownCustomers(unknown)
    return customers.filter(each => typeof each !== 'string')
  }
}

function unknownCustomers(ids: readonly string[]): AppError {
  const target = 'customerTenantIds'
  const named = ids.slice(0, mostNamed).join(', ') + (ids.length > mostNamed ? ' and others' : '')
  return new AppError(
    'invalid_request',
    `Parameter '${target}' must contain only customers of the partner. Unknown: ${named}.`,
    {
      target,
      details: ids.map(id => ({ target, message: `${id} is not a customer of the partner.` })),
    },
  )
}
