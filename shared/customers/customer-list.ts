import { type Customer, readCustomerPages } from '../partner-center/customers.ts'
import type { RequestPartnerCenter } from '../partner-center/request.ts'
import type { Clock } from '../runtime/clock.ts'
import type { OperationContext } from '../runtime/operation.ts'
import type { ShareCall } from '../runtime/shared-calls.ts'

/** A customer with the texts that it is sorted and searched by. */
type Entry = { customer: Customer; key: string; searchable: string }

export type ListCustomers = {
  (search: string | undefined, operation: OperationContext): Promise<Customer[]>
  /** The name of a customer, if the list is in memory. */
  nameOf: (customerTenantId: string) => string | undefined
}

type Options = { request: RequestPartnerCenter; share: ShareCall; baseUrl: string; clock: Clock }

const cacheMs = 5 * 60 * 1000

/** Letters that Unicode does not decompose into a base letter and an accent. */
const plainLetters: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
}

/** The text in lower case and without accents. */
export const fold = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[ßæœøłđðþı]/g, letter => plainLetters[letter] ?? letter)

/** All customers, sorted by name and id. The list is read at most once in five minutes, by one call at a time. */
export function createListCustomers({ request, share, baseUrl, clock }: Options): ListCustomers {
  let cached: { entries: Entry[]; readAt: number } | undefined

  async function readEntries(operation: OperationContext): Promise<Entry[]> {
    const readAt = clock.now()
    const entries: Entry[] = []
    for await (const page of readCustomerPages(request, baseUrl, operation)) {
      for (const customer of page) {
        const name = fold(customer.companyName)
        entries.push({
          customer,
          key: `${name}\0${customer.customerTenantId}`,
          searchable: `${name}\n${fold(customer.domain)}`,
        })
      }
    }
    entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    cached = { entries, readAt }
    return entries
  }

  async function list(search: string | undefined, operation: OperationContext): Promise<Customer[]> {
    const isFresh = cached !== undefined && clock.now() - cached.readAt < cacheMs
    const entries = isFresh && cached !== undefined ? cached.entries : await share('customers', operation, readEntries)
    const wanted = search === undefined ? '' : fold(search.trim())
    return (wanted === '' ? entries : entries.filter(entry => entry.searchable.includes(wanted))).map(
      ({ customer }) => customer,
    )
  }

  return Object.assign(list, {
    nameOf: (customerTenantId: string) =>
      cached?.entries.find(({ customer }) => customer.customerTenantId === customerTenantId)?.customer.companyName,
  })
}
