import { z } from 'zod'
import { dayOf } from '../formats/days.ts'
import { guidPattern } from '../formats/guid.ts'
import { parseTimestamp, toMilliseconds } from '../orders/timestamp.ts'
import { parseBounded } from '../partner-center/json-bytes.ts'
import { collectionLinksSchema, type PageLimits, readPages } from '../partner-center/paging.ts'
import type { RequestPartnerCenter } from '../partner-center/request.ts'
import type { OperationContext } from '../runtime/operation.ts'

/** When orders of a customer were created or changed, according to the activity log. */
type CustomerNews = {
  customerName: string
  /** Milliseconds since 1970 UTC, in ascending order. */
  at: number[]
}

/** Changes in the log, by lower-case customer id. */
export type News = Map<string, CustomerNews>

type LogReading = {
  news: News
  /** True if the log ended before a page that it had announced. There may be more changes. */
  isCut: boolean
}

/** Reads the order operations in the activity log since a time, in milliseconds since 1970 UTC. */
export type ReadLog = (since: number, operation: OperationContext) => Promise<LogReading>

/** A value that is not text counts as absent. */
const text = z.string().nullish().catch(undefined)

/**
 * learn.microsoft.com/partner-center/developer/get-a-record-of-partner-center-activity-by-user. The order in
 * `resourceNewValue` is JSON text with names in PascalCase, or an object.
 */
const auditRecordSchema = z.looseObject({
  customerId: text,
  customerName: text,
  operationType: text,
  operationStatus: text,
  operationDate: text,
  resourceNewValue: z.unknown().optional(),
})
type AuditRecord = z.infer<typeof auditRecordSchema>

/** A malformed record is skipped. The rest of the page is still read. */
const auditPageSchema = z.looseObject({
  items: z.array(auditRecordSchema.catch({})),
  links: collectionLinksSchema,
})

const loggedOrderSchema = z.looseObject({ ReferenceCustomerId: text, referenceCustomerId: text })

/** Enough for 200,000 records. A longer log is probably one that repeats itself. */
const limits: PageLimits = { pages: 400, bytes: 2 * 1024 ** 3 }

const pageSize = 500

/** The operations that create or change orders. All others are ignored. */
const orderOperations = ['create_order', 'update_order']

/** The customer of the order in the record, for records that do not name a customer. */
function customerOfOrder({ resourceNewValue: value }: AuditRecord): string | undefined {
  try {
    const order = loggedOrderSchema.parse(typeof value === 'string' ? JSON.parse(value) : value)
    return order.ReferenceCustomerId ?? order.referenceCustomerId ?? undefined
  } catch {
    return undefined
  }
}

function toNews(record: AuditRecord): { id: string; name: string; at: number } | undefined {
  const { customerId, customerName, operationType, operationStatus, operationDate } = record
  if (!orderOperations.includes(operationType?.toLowerCase() ?? '')) return undefined
  if (operationStatus?.toLowerCase() !== 'succeeded') return undefined
  const id = customerId && guidPattern.test(customerId) ? customerId : customerOfOrder(record)
  const timestamp = parseTimestamp(operationDate ?? undefined)
  if (id === undefined || !guidPattern.test(id) || timestamp === undefined) return undefined
  return { id: id.toLowerCase(), name: customerName ?? '', at: toMilliseconds(timestamp) }
}

function parsePage(body: Buffer) {
  const { items, links } = auditPageSchema.parse(parseBounded(body))
  return { value: items.flatMap(record => toNews(record) ?? []), next: links.next }
}

/** The log is queried by date. Records of that day that are older than `since` are skipped here. */
export const createReadLog =
  (request: RequestPartnerCenter, baseUrl: string): ReadLog =>
  async (since, operation) => {
    const startDate = dayOf(since)
    const path = `/v1/auditrecords?startDate=${startDate}&size=${pageSize}`
    const news: News = new Map()
    let isCut = false
    const onCutShort = () => {
      isCut = true
    }
    const options = { limits, endsBeyond: true, onCutShort }
    for await (const page of readPages(request, baseUrl, { path }, parsePage, operation, options)) {
      for (const { id, name, at } of page) {
        if (at < since) continue
        const known = news.get(id)
        if (known === undefined) news.set(id, { customerName: name, at: [at] })
        else {
          known.at.push(at)
          if (known.customerName === '') known.customerName = name
        }
      }
    }
    for (const each of news.values()) each.at = [...new Set(each.at)].sort((a, b) => a - b)
    return { news, isCut }
  }
