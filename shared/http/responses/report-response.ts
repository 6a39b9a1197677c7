import type { HttpRequest, HttpResponseInit } from '@azure/functions'
import { AppError } from '../../errors.ts'
import type { ReportFormat } from '../../report/report.ts'
import type { OperationContext } from '../../runtime/operation.ts'
import type { Snapshots } from '../../snapshots/snapshots.ts'
import { appAddress, linkTo } from '../paging/links.ts'
import { respond } from './response.ts'
import { pollSeconds } from './snapshot-responses.ts'

export type ReportInput = { snapshotId: string; format: ReportFormat }

type Options = Pick<Snapshots, 'reports' | 'status'> & { request: HttpRequest; operation: OperationContext }

const contentType = 'text/html; charset=utf-8'

/** A mail has no style sheet. It has inline styles. */
const emailPolicy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

async function headersFor(format: ReportFormat, page: Buffer): Promise<Record<string, string>> {
  const { policyOf } = await import('../../report/policy.ts')
  return {
    'content-security-policy': format === 'email' ? emailPolicy : policyOf(page.toString('utf8')),
    'x-content-type-options': 'nosniff',
    // The address of the page can contain a key. A link must not send it on.
    'referrer-policy': 'no-referrer',
  }
}

/** Responds with the report of a run, also of one that failed, or with 202 while the run goes on. */
export async function respondWithReport(
  { snapshotId: requested, format }: ReportInput,
  { reports, status, request, operation }: Options,
): Promise<HttpResponseInit> {
  const snapshotId = requested === 'latest' ? await reports.newest() : requested
  if (snapshotId === undefined) {
    throw new AppError(
      'snapshot_not_found',
      'There is no finished snapshot of all customers. Take one with start-snapshot.',
    )
  }
  const read = () => reports.read(snapshotId, { format, base: appAddress(request).origin }, operation)
  let page = await read()
  if (page === undefined) {
    const found = await status.get(snapshotId, operation)
    if ('running' in found) {
      const query = format === 'html' ? '' : `?format=${format}`
      const location = linkTo(request, `/api/snapshots/${snapshotId}/report${query}`)
      const headers = { location, 'retry-after': String(pollSeconds) }
      return respond(JSON.stringify(found.running), { status: 202, headers })
    }
    // The run has ended in the meantime.
    page = await read()
  }
  if (page === undefined) throw new AppError('snapshot_not_found', 'The snapshot is no longer kept.')
  const headers = await headersFor(format, page)
  return respond(page, { contentType, headers, ifNoneMatch: request.headers.get('if-none-match') })
}
