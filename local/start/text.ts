import type { ListedCase } from '../simulator/listed-cases.ts'
import { documentedCustomerId } from '../simulator/sample-data.ts'
import type { Today } from './today.ts'

// Addresses with special characters are in double quotes, which work in sh, PowerShell and cmd.

export const describeStart = (url: string, services: { name: string; value: string }[]): string => `
Try this first, in another terminal:
  curl ${url}/api/customers/${documentedCustomerId}/orders

Or open the page:  ${url}/

${services.map(({ name, value }) => `  ${name.padEnd(20)}  ${value}`).join('\n')}
`

export const describeFailures = (url: string, cases: ListedCase[]): string => `Customers that fail:
${cases.map(({ id, what }) => `  ${id}  ${what}`).join('\n')}

  curl ${url}/api/customers/${cases[0]?.id}/orders
`

const yesterday = (): string => new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)

function describeSnapshot(url: string, today: Today | string): string {
  if (typeof today === 'string') return `The snapshot failed: ${today}`
  const {
    customers,
    orders,
    path,
    changes: { created, updated, removed } = { created: 0, updated: 0, removed: 0 },
  } = today
  const failed = customers.failed === 0 ? '' : ` ${customers.failed} customers failed on purpose.`
  return `A snapshot of ${customers.read} customers with ${orders} orders is in blob storage:
  ${path}
Since yesterday's: ${created} orders created, ${updated} updated, ${removed} removed.${failed}
The report:  ${url}/api/snapshots/latest/report

The customer's orders as of yesterday, and the files in storage:
  curl "${url}/api/customers/${documentedCustomerId}/orders?asOf=${yesterday()}"
  npm run files`
}

export const describeToday = (
  url: string,
  today: Today | string,
  changeSeconds: number | undefined,
): string => `${describeSnapshot(url, today)}

${changeSeconds === undefined ? '' : `An order changes every ${changeSeconds} seconds.\n`}
Ctrl-C stops everything.`
