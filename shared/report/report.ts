import { describeError } from '../runtime/log.ts'
import type { OperationContext } from '../runtime/operation.ts'
import type { ShareCall } from '../runtime/shared-calls.ts'
import { reportBlob } from '../snapshots/storage/layout.ts'
import type { FinishedRun } from '../snapshots/storage/manifest-metadata.ts'
import { isUnreadable } from '../snapshots/storage/storage-errors.ts'
import type { GatherOptions } from './gather.ts'

export type ReportFormat = 'html' | 'email'

export type ReportOptions = {
  format: ReportFormat
  /** The beginning of each link in a mail. */
  base: string
}

export type Reports = {
  /**
   * Writes the report of a run over all customers, if the run has a manifest and no report. A failure affects only the
   * report: it is logged, and the next call tries again.
   */
  write: (snapshotId: string, operation: OperationContext) => Promise<void>
  /** The id of the newest run over all customers that has ended, also if it failed. */
  newest: () => Promise<string | undefined>
  /** Returns the report of a run, and makes it if it is missing. Undefined if the run does not exist or goes on. */
  read: (snapshotId: string, options: ReportOptions, operation: OperationContext) => Promise<Buffer | undefined>
}

type Modules = Pick<typeof import('./gather.ts'), 'gather'> &
  Pick<typeof import('./page.ts'), 'renderPage'> &
  Pick<typeof import('./email.ts'), 'renderEmail'> &
  Pick<typeof import('./links.ts'), 'createLinks'>

let modules: Promise<Modules> | undefined

/** Loads the modules with the first report, and keeps them: a second import would take a turn of the event loop. */
export const loadReport = (): Promise<Modules> => {
  modules ??= Promise.all([import('./gather.ts'), import('./page.ts'), import('./email.ts'), import('./links.ts')])
    .then(([gathering, page, email, links]) => ({ ...gathering, ...page, ...email, ...links }))
    .catch(error => {
      modules = undefined
      throw error
    })
  return modules
}

type Options = GatherOptions & { share: ShareCall }

const contentType = 'text/html; charset=utf-8'

/** Links of a stored page begin with a slash, and the browser adds the host. */
const storedPage: ReportOptions = { format: 'html', base: '' }

export function createReports({ share, ...options }: Options): Reports {
  const { store, runs } = options

  async function render(
    run: FinishedRun,
    { format, base }: ReportOptions,
    operation: OperationContext,
  ): Promise<Buffer> {
    const { gather, renderPage, renderEmail, createLinks } = await loadReport()
    const figures = await gather(options, run, operation)
    const links = createLinks(base)
    return Buffer.from(format === 'html' ? renderPage(figures, links) : renderEmail(figures, links))
  }

  /** Stores the page of a run over all customers, and returns the stored page. If one is stored already, it stays. */
  async function keep(run: FinishedRun, page: Buffer, operation: OperationContext): Promise<Buffer> {
    const { snapshotId, partial } = run
    if (partial) return page
    const isOurs = await store.write(reportBlob(run), page, { absent: true, contentType })
    if (isOurs === false) return (await store.read(reportBlob(run)))?.body ?? page
    operation.log('info', 'report_written', { snapshotId, bytes: page.length })
    return page
  }

  const notWritten = (snapshotId: string, error: unknown, operation: OperationContext): void =>
    operation.log('warn', 'report_not_written', { snapshotId, why: describeError(error) })

  /** The newest run over all customers with a readable manifest. */
  async function newest(): Promise<string | undefined> {
    for await (const { snapshotId, following } of runs.places(undefined)) {
      if (following === true) continue
      const run = await runs.finished(snapshotId).catch(error => {
        if (!isUnreadable(error)) throw error
        return undefined
      })
      if (run !== undefined && !run.partial) return snapshotId
    }
    return undefined
  }

  return {
    newest,

    async write(snapshotId, operation) {
      try {
        const run = await runs.finished(snapshotId)
        if (run === undefined || run.partial || (await store.head(reportBlob(run))) !== undefined) return
        await keep(run, await render(run, storedPage, operation), operation)
      } catch (error) {
        notWritten(snapshotId, error, operation)
      }
    },

    async read(snapshotId, wanted, operation) {
      const { format, base } = wanted
      const stored = format === 'html' ? await store.read(reportBlob({ snapshotId })) : undefined
      if (stored !== undefined) return stored.body
      const run = await runs.finished(snapshotId)
      if (run === undefined) return undefined
      const key = JSON.stringify(['report', snapshotId, format, format === 'email' ? base : ''])
      return share(key, operation, async shared => {
        if (format === 'email') return render(run, wanted, shared)
        const page = await render(run, storedPage, shared)
        return keep(run, page, shared).catch(error => {
          notWritten(snapshotId, error, shared)
          return page
        })
      })
    },
  }
}
