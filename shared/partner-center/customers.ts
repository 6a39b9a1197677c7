import { z } from 'zod'
import { guidPattern } from '../formats/guid.ts'
import type { OperationContext } from '../runtime/operation.ts'
import { parseBounded } from './json-bytes.ts'
import { collectionLinksSchema, type PageLimits, parseResponse, readPages } from './paging.ts'
import type { RequestPartnerCenter } from './request.ts'

export type Customer = {
  /** Lower-case GUID. */
  customerTenantId: string
  companyName: string
  domain: string
  relationship: string
}

/** A value that is not text counts as absent. */
const text = z.string().nullish().catch(undefined)

/** learn.microsoft.com/partner-center/developer/customer-resources. Other members of a list are not reliable. */
const customerResourceSchema = z.looseObject({
  id: text,
  companyProfile: z.looseObject({ companyName: text, domain: text }).nullish().catch(undefined),
  relationshipToPartner: text,
})

/** A malformed entry is skipped. The rest of the list is still read. */
const customerPageSchema = z.looseObject({
  items: z.array(customerResourceSchema.catch({ id: undefined })),
  links: collectionLinksSchema,
})

/** The largest page that Partner Center returns (github.com/microsoft/Partner-Center-PowerShell/issues/379). */
const pageSize = 500

/** Enough for a million customers. */
const customerPageLimits: PageLimits = { pages: 2000, bytes: 2 * 1024 ** 3 }

/**
 * Reads `GET /v1/customers` page by page. Entries without a tenant id are skipped, because no call can name them.
 * `onCutShort` is called if an announced page does not exist.
 */
export const readCustomerPages = (
  request: RequestPartnerCenter,
  baseUrl: string,
  operation: OperationContext,
  onCutShort: () => void = () => undefined,
): AsyncGenerator<Customer[]> =>
  readPages(request, baseUrl, { path: `/v1/customers?size=${pageSize}` }, parsePage, operation, {
    limits: customerPageLimits,
    endsBeyond: true,
    onCutShort,
  })

/** Reads `GET /v1/customers/{id}` (learn.microsoft.com/partner-center/developer/get-a-customer-by-id). */
export async function readCustomer(
  request: RequestPartnerCenter,
  customerTenantId: string,
  operation: OperationContext,
): Promise<Customer | undefined> {
  const { body } = await request({ path: `/v1/customers/${customerTenantId}` }, operation)
  return parseResponse(body, body => toCustomer(customerResourceSchema.parse(parseBounded(body))))
}

function parsePage(body: Buffer) {
  const { items, links } = customerPageSchema.parse(parseBounded(body))
  return { value: items.flatMap(item => toCustomer(item) ?? []), next: links.next }
}

function toCustomer(resource: z.infer<typeof customerResourceSchema>): Customer | undefined {
  const { id, companyProfile, relationshipToPartner } = resource
  if (id == null || !guidPattern.test(id)) return undefined
  return {
    customerTenantId: id.toLowerCase(),
    companyName: companyProfile?.companyName ?? '',
    domain: companyProfile?.domain ?? '',
    relationship: relationshipToPartner ?? 'unknown',
  }
}
