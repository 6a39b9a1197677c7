import { dependencies, type OperationName, operations, readDeadlineSeconds, workSeconds } from './expectations.ts'
import { faults } from './faults.ts'
import { type Figures, readFigures } from './figures.ts'

type Row = Figures['matrix'][number]

const titles: Record<OperationName, { title: string; text: string }> = {
  read: {
    title: 'A read over HTTP',
    text: `\`get-customer-orders\` with \`REQUEST_DEADLINE_SECONDS\` = ${readDeadlineSeconds}, on a worker that has no token and no secret yet; below blob it reads with \`asOf\`. What takes the whole deadline here takes ${readDeadlineSeconds} seconds. With the default of 100 seconds the retries of the storage SDK end before it, with \`storage_unavailable\`.`,
  },
  plan: {
    title: 'A snapshot from its start on',
    text: `The fault lasts until the run has ended or its messages have been delivered five times, each with ${workSeconds} seconds; on the platform it is minutes. *not started*: \`start-snapshot\` responded with the code. *failed*: the code with which \`get-snapshot\` responds. *lost*: all that is read from storage is damaged; the next start ends the run.`,
  },
  part: {
    title: 'A snapshot while it reads customers',
    text: 'The same, with the fault from the moment on at which the customers are listed. *failed*: no customer could be read; with one that was read it would be `completedWithErrors`.',
  },
  follow: {
    title: 'A look at the activity log',
    text: `\`follow-orders\`, while the log has news of one order, with ${workSeconds} seconds. *looked*: the order was found. *noted*: \`get-health-details\` tells the code, and the next look goes on. A code alone: the function failed, and the platform starts the next look.`,
  },
  renew: {
    title: 'The renewal of the refresh token',
    text: `\`renew-credential\` with ${workSeconds} seconds. A code: the renewal failed, the stored token is still good, and the platform starts it again.`,
  },
}

const cellText = ([, , , outcome, seconds]: Row): string => `${outcome}, ${seconds.toFixed(1)} s`

function tableOf(operation: OperationName, rows: readonly Row[]): string {
  const asked = dependencies.filter(dependency => (operations[operation] as readonly string[]).includes(dependency))
  const byCell = new Map(rows.map(row => [`${row[0]} ${row[1]} ${row[2]}`, row]))
  const lines = Object.keys(faults).map(fault => {
    const texts = asked.map(dependency => {
      const row = byCell.get(`${operation} ${dependency} ${fault}`)
      if (row === undefined) throw new Error(`Nothing was measured for ${operation}, ${dependency}: ${fault}`)
      return cellText(row)
    })
    return `| ${[fault, ...texts].join(' | ')} |`
  })
  return [`| Fault | ${asked.join(' | ')} |`, `|${'---|'.repeat(asked.length + 1)}`, ...lines].join('\n')
}

const mebibytes = (peak: number | undefined): string => (peak === undefined ? 'not measured' : `${peak} MiB`)

/** docs/reliability.md, from what the long tests have measured. */
export function renderDocument(): string {
  const matrix = readFigures('matrix')
  const fuzz = readFigures('fuzz')
  const load = readFigures('load')
  const outcomes = Object.entries(fuzz.outcomes)
    .sort(([, a], [, b]) => b - a)
    .map(([outcome, count]) => `| ${outcome} | ${count} |`)
  const tables = (Object.keys(operations) as OperationName[]).map(
    name => `### ${titles[name].title}\n\n${titles[name].text}\n\n${tableOf(name, matrix)}`,
  )
  return `<!-- Written by \`npm run reliability\` from what it measured. -->
# Reliability

What the app does when something that it depends on fails, measured over the wire. Every figure can be measured again:

| Figure | Command |
|---|---|
| This page: fault matrix, fuzzed requests, overload | \`npm run reliability\` |
| Simulation: thousands of days of snapshots with crashes, lost messages, damaged blobs and clocks that differ | \`npm run test:long -- test/simulation\` (figures in [its README](../test/simulation/README.md)) |
| Soak: mixed traffic while one response in 50 of every dependency is lost; heap and sockets at the end | \`npm run test:long -- test/chaos/soak\` |
| Kills: one of two hosts dies at each write of a run, before and after it takes effect | \`npm run test:long -- test/chaos/kill-between-writes\` |
| Kills at random points of a run | \`npm test -- test/chaos/kill\` |
| Secrets: planted ones, searched for in everything that leaves the app | \`npm test -- test/security/canaries\` |

A part of the first one, under ten minutes long in all, is in \`npm test\`.

## The fault matrix

${matrix.length} cells: a real server on loopback stands in front of one dependency and fails, while the others are well. Each cell has to have
the outcome that [the error table](reference.md#errors) and [the page on snapshots](snapshots.md#when-something-goes-wrong) say of it, and a
read responds within its deadline and a second. After each fault the same has to succeed: the next read, the next snapshot, a renewal; a followed
order is told exactly once. What is expected of each cell is in \`test/reliability/expectations.ts\`; two outcomes are
there where chance decides whether the last try or the deadline comes first.

| Name | Dependency |
|---|---|
| upstream | Partner Center |
| authority | the token endpoint of Entra ID |
| vault | Key Vault |
| identity | the managed-identity endpoint |
| blob, queue | Blob and Queue Storage |

${tables.join('\n\n')}

## Fuzzed requests

${fuzz.requests.toLocaleString('en')} requests with strange methods, paths, parameters, headers and bodies, ${Math.round(fuzz.requests / fuzz.seconds)} a second: none got a 5xx, every error has the documented form,
and the host held at most ${mebibytes(fuzz.peakMebibytes)}. The platform refuses some by itself, without a body.

| Response | Count |
|---|---|
${outcomes.join('\n')}

## Overload

Partner Center is silent, and 1,300 requests at once come again and again, ${load.sent.toLocaleString('en')} in all. \`host.json\` lets 1,000 be under way:

| | |
|---|---|
| Refused at once with 429 | ${load.refused.toLocaleString('en')} |
| 503 \`deadline_exceeded\` after the deadline of 5 seconds | ${load.failed.toLocaleString('en')} |
| Slowest response | ${load.slowestSeconds} s |
| Most memory that the host held | ${mebibytes(load.peakMebibytes)} |
| A read right after it | 200 after ${load.afterwardsMs} ms |
`
}
