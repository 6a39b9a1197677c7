import { type Exchange, sendJson } from './recorder.ts'
import { guidOf, type SimulatedCustomer, type SimulatedOrder } from './sample-data.ts'

/** An operation for a customer, in the form of Partner Center's activity log. */
export type AuditRecord = Record<string, unknown> & { operationDate: string }

/** The activity log of Partner Center. Tests can add and change records. */
export type ActivityLog = {
  records: AuditRecord[]
  /** The largest page. */
  recordsPerPage: number
  /** Records that an order was created or changed. `at` is in milliseconds since 1970 UTC. */
  note: (kind: 'created' | 'updated', customer: SimulatedCustomer, order: SimulatedOrder, at: number) => AuditRecord
  /** Handles `GET /v1/auditrecords`. */
  list: (exchange: Exchange) => void
}

const dayMs = 86_400_000

/**
 * The maximum age of a record
 * (learn.microsoft.com/partner-center/developer/get-a-record-of-partner-center-activity-by-user).
 */
const mostDays = 90
const usualDays = 30

/** The log has orders with names in PascalCase. */
function inPascalCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inPascalCase)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name.charAt(0).toUpperCase() + name.slice(1), inPascalCase(each)]),
  )
}

/** The log writes seven fraction digits. */
const toOperationDate = (at: number): string => new Date(at).toISOString().replace('Z', '0000Z')

export function createActivityLog(prefix: () => string, now: () => number): ActivityLog {
  const log: ActivityLog = {
    records: [],
    recordsPerPage: 500,
    note(kind, customer, order, at) {
      const record: AuditRecord = {
        id: guidOf(`audit record ${log.records.length}`),
        partnerId: guidOf('partner tenant'),
        customerId: customer.id,
        customerName: customer.companyName,
        userPrincipalName: 'admin@partner.example',
        applicationId: 'Partner Center Web Store Front',
        resourceType: 'order',
        resourceNewValue: JSON.stringify(inPascalCase({ ...order, referenceCustomerId: customer.id })),
        operationType: kind === 'created' ? 'create_order' : 'update_order',
        originalCorrelationId: guidOf(`audit correlation ${log.records.length}`),
        operationDate: toOperationDate(at),
        operationStatus: 'succeeded',
        customizedData: [
          { key: 'OrderId', value: order.id },
          { key: 'BillingCycle', value: order.billingCycle },
          ...(order.lineItems ?? []).flatMap(({ offerId, quantity }, line) => [
            { key: `OfferId-${line}`, value: offerId ?? null },
            { key: `Quantity-${line}`, value: String(quantity) },
            { key: `PartnerOnRecord-${line}`, value: null },
          ]),
        ],
        attributes: { objectType: 'AuditRecord' },
      }
      log.records.push(record)
      return record
    },
    list({ request, response }) {
      const { query, headers } = request
      const day = (name: string, fallback: number): number => {
        const text = query.get(name)
        return text === null ? fallback : Date.parse(text)
      }
      const from = day('startDate', now() - usualDays * dayMs)
      const until = day('endDate', now()) + dayMs
      if (!(from <= until) || from < now() - mostDays * dayMs - dayMs) {
        const description = `The start date is more than ${mostDays} days ago, or no date.`
        return sendJson(response, 400, { code: '2000', description, data: [], source: 'PartnerFD' })
      }
      const found = log.records
        .filter(({ operationDate }) => Date.parse(operationDate) >= from && Date.parse(operationDate) < until)
        .reverse()
      const size = Math.min(Number(query.get('size')) || log.recordsPerPage, log.recordsPerPage)
      const token = headers['ms-continuationtoken']
      const start = token === undefined ? 0 : Number(Buffer.from(token, 'base64').toString())
      const page = found.slice(start, start + size)
      query.set('seekOperation', 'Next')
      const next = {
        uri: `${prefix()}/auditrecords?${query}`,
        method: 'GET',
        headers: [{ key: 'MS-ContinuationToken', value: Buffer.from(String(start + size)).toString('base64') }],
      }
      sendJson(response, 200, {
        totalCount: page.length,
        items: page,
        links: {
          self: { uri: `${prefix()}/auditrecords?size=${size}`, method: 'GET', headers: [] },
          ...(start + size < found.length ? { next } : {}),
        },
        attributes: { objectType: 'Collection' },
      })
    },
  }
  return log
}
