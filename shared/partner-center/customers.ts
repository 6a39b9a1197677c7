import { z } from 'zod'
import type { Call } from '../call.ts'
import { collectionLinks, type PageLimits, readPages } from './paging.ts'
import type { RequestPartnerCenter } from './request.ts'

export type Customer = {
  /** Lower-case GUID. */
  customerTenantId: string
  companyName: string
  domain: string
  relationship: string
}

/** learn.microsoft.com/partner-center/developer/customer-resources; what else a list holds is not dependable. */
const customerPage = z.looseObject({
  items: z.array(
    z.looseObject({
      id: z.string().nullish(),
      companyProfile: z.looseObject({ companyName: z.string().nullish(), domain: z.string().nullish() }).nullish(),
      relationshipToPartner: z.string().nullish(),
    }),
  ),
  links: collectionLinks.nullish(),
})

/** 500 is the largest page the service gives (github.com/microsoft/Partner-Center-PowerShell/issues/379). */
const pageSize = 500

/** Room for a million customers. */
const customerPageLimits: PageLimits = { pages: 2000, bytes: 2 * 1024 ** 3 }

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Reads `GET /v1/customers` page by page. Entries without a tenant id are passed over: nothing can be asked about them. */
export const readCustomerPages = (
  request: RequestPartnerCenter,
  baseUrl: string,
  call: Call,
): AsyncGenerator<Customer[]> =>
  readPages(request, baseUrl, { path: `/v1/customers?size=${pageSize}` }, parsePage, call, {
    limits: customerPageLimits,
    endsBeyond: true,
  })

function parsePage(body: Buffer) {
  const { items, links } = customerPage.parse(JSON.parse(body.toString('utf8').replace(/^\uFEFF/, '')))
  const value = items.flatMap(({ id, companyProfile, relationshipToPartner }): Customer[] =>
    id == null || !guid.test(id)
      ? []
      : [
          {
            customerTenantId: id.toLowerCase(),
            companyName: companyProfile?.companyName ?? '',
            domain: companyProfile?.domain ?? '',
            relationship: relationshipToPartner ?? 'unknown',
          },
        ],
  )
  return { value, next: links?.next }
}
