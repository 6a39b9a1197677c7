import { dependencies, type OperationName, operations, readDeadlineSeconds, workSeconds } from './expectations.ts'
import { faults } from './faults.ts'
import { type Figures, readFigures } from './figures.ts'

type Row = Figures['matrix'][number]

const titles: Record<OperationName, { title: string; text: string }> = {
  read: {
    title: 'A read over HTTP',
    text: `The test calls \`get-customer-orders\` with \`REQUEST_DEADLINE_SECONDS\` = ${readDeadlineSeconds}, on a worker that has no token and no secret yet. In the column *blob*, it reads with \`asOf\`. In this table, a read that uses its whole deadline takes ${readDeadlineSeconds} seconds. With the default deadline of 100 seconds, the storage SDK stops its retries earlier, and the response is \`storage_unavailable\`.`,
  },
  plan: {
    title: 'A snapshot from its start on',
    text: `The fault lasts until the run has ended or each message has been delivered five times. Each delivery has ${workSeconds} seconds; on the platform it has minutes. *not started*: \`start-snapshot\` responded with this code. *failed*: \`get-snapshot\` responds with this code. *lost*: everything that the app reads from storage is damaged, and the next start ends the run.`,
  },
  part: {
    title: 'A snapshot while it reads customers',
    text: 'The test is the same, but the fault starts after the customers have been listed. *failed*: no customer could be read. If at least one had been read, the status would be `completedWithErrors`.',
  },
  follow: {
    title: 'A poll of the activity log',
    text: `\`follow-orders\` runs with a deadline of ${workSeconds} seconds, and the log has a new record about one order. *looked*: the poll succeeded. *noted*: \`get-health-details\` reports the code, and the next poll continues. A code alone: the function failed, and the platform starts the next poll.`,
  },
  renew: {
    title: 'The renewal of the refresh token',
    text: `\`renew-credential\` runs with a deadline of ${workSeconds} seconds. A code: the renewal failed, the stored token is still valid, and the platform starts the function again.`,
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
const count = (value: number): string => value.toLocaleString('en')

function fuzzSection({ requests, seconds, outcomes, peakMebibytes }: Figures['fuzz']): string {
  const rows = Object.entries(outcomes)
    .sort(([, a], [, b]) => b - a)
    .map(([outcome, times]) => `| ${outcome} | ${count(times)} |`)
  return `## Fuzzed requests

The test sends ${count(requests)} requests with unusual methods, paths, parameters, headers and bodies, ${Math.round(requests / seconds)} per second. No
response was a 5xx, and every error had the documented form. The peak memory of the host, with a heap limit of 256 MiB, was
${mebibytes(peakMebibytes)}. The platform itself refuses some requests, without a body.

| Response | Count |
|---|---|
${rows.join('\n')}`
}

const loadSection = (load: Figures['load']): string => `## Overload

Partner Center does not respond, while the test sends waves of 1,300 concurrent requests, ${count(load.sent)} in all. \`host.json\` allows
1,000 requests in flight.

| | |
|---|---|
| Refused immediately with 429 | ${count(load.refused)} |
| 503 \`deadline_exceeded\` after the deadline of 5 seconds | ${count(load.failed)} |
| Slowest response | ${load.slowestSeconds.toFixed(1)} s |
| Peak memory of the host, with a heap limit of 256 MiB | ${mebibytes(load.peakMebibytes)} |
| A read immediately after the overload | 200 after ${load.afterwardsMs} ms |`

const simulationSection = ({ worlds, seconds }: Figures['simulation']): string => `## Simulation

The test ran ${count(worlds)} worlds of one to three days each, in ${Math.round(seconds / 60)} minutes. None violated
[the rules of the simulation](../test/simulation/README.md#rules).`

const killsSection = ({ snapshots, killed }: Figures['kills']): string => `## Kills

The test takes ${snapshots} snapshots with two hosts, and kills one host at each of ${killed.length} points. Each snapshot was complete,
with every order once, and the next snapshot started.

${killed.map(each => `- ${each}`).join('\n')}`

const soakSection = ({ minutes, requests, lost, slowestSeconds, heapMegabytes, sockets }: Figures['soak']): string =>
  `## Soak

The test sends mixed traffic for ${minutes} minutes, while one in 50 responses of every dependency is lost.

| | |
|---|---|
| Requests | ${count(requests)} |
| Lost responses | ${count(lost)} |
| Slowest response, with a deadline of 6 seconds | ${slowestSeconds.toFixed(1)} s |
| Heap, before and after the test | ${heapMegabytes.map(value => `${value} MB`).join(', ')} |
| Open sockets, when idle and after the test | ${sockets.join(', ')} |`

/** docs/reliability.md, from what the long tests have measured. */
export function renderDocument(): string {
  const matrix = readFigures('matrix')
  if (matrix === undefined) throw new Error('The fault matrix was never recorded: npm run reliability')
  const tables = (Object.keys(operations) as OperationName[]).map(
    name => `### ${titles[name].title}\n\n${titles[name].text}\n\n${tableOf(name, matrix)}`,
  )
  const section = <Name extends keyof Figures>(name: Name, render: (figures: Figures[Name]) => string): string[] => {
    const figures = readFigures(name)
    return figures === undefined ? [] : [render(figures)]
  }
  const sections = [
    ...section('fuzz', fuzzSection),
    ...section('load', loadSection),
    ...section('simulation', simulationSection),
    ...section('kills', killsSection),
    ...section('soak', soakSection),
  ]
  return `<!-- \`npm run reliability\` writes this page from the figures of its tests. -->
# Reliability

This page shows what the app does when one of its dependencies fails. You can reproduce every figure: \`npm run reliability\` runs all
tests below and writes this page. \`npm run reliability -- <folder>\` runs only the tests of one folder.

| Figure | Test |
|---|---|
| Fault matrix, fuzzed requests, overload | \`test/reliability\` |
| Simulation: days of snapshots with crashes, lost messages, damaged blobs and different clocks | \`test/simulation\` |
| Kills at each write of a run, before and after the write takes effect | \`test/chaos/kill-between-writes\` |
| Soak: mixed traffic with lost responses; heap and sockets at the end | \`test/chaos/soak\` |

\`npm test\` includes a part of the matrix and of the simulation, 2,000 fuzzed requests, kills at random points, and the search for
[secrets](security.md#threats).

## The fault matrix

The matrix has ${matrix.length} cells. In each cell, a real server on loopback is in front of one dependency and causes one fault, while the
other dependencies work. Each cell must have the outcome in [the error table](reference.md#errors) and on
[the page on snapshots](snapshots.md#failures). A read must be answered within its deadline plus a second; the test allows two
more on a busy machine. After each fault, the same operation must succeed: the next read, the next snapshot or the next renewal.
Reads behind the authority, the vault or the identity are repeated once after all faults. An order in the activity log must be
reported exactly once. \`test/reliability/expectations.ts\` has the expected outcome of each cell. A cell has two expected outcomes
if chance decides whether the last try or the deadline comes first.

The fault *exploding* is a small compressed body that expands to a huge one.

| Name | Dependency |
|---|---|
| upstream | Partner Center |
| authority | the token endpoint of Entra ID |
| vault | Key Vault |
| identity | the managed-identity endpoint |
| blob, queue | Blob and Queue Storage |

${[...tables, ...sections].join('\n\n')}
`
}
