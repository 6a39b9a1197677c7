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
const count = (value: number): string => value.toLocaleString('en')

function fuzzSection({ requests, seconds, outcomes, peakMebibytes }: Figures['fuzz']): string {
  const rows = Object.entries(outcomes)
    .sort(([, a], [, b]) => b - a)
    .map(([outcome, times]) => `| ${outcome} | ${count(times)} |`)
  return `## Fuzzed requests

${count(requests)} requests with strange methods, paths, parameters, headers and bodies, ${Math.round(requests / seconds)} a second. None got a 5xx, and every
error has the documented form. The host, whose heap may have 256 MiB, held at most ${mebibytes(peakMebibytes)}. The platform refuses some
requests by itself, without a body.

| Response | Count |
|---|---|
${rows.join('\n')}`
}

const loadSection = (load: Figures['load']): string => `## Overload

Partner Center is silent, and 1,300 requests at once come again and again, ${count(load.sent)} in all. \`host.json\` lets 1,000 be under
way.

| | |
|---|---|
| Refused at once with 429 | ${count(load.refused)} |
| 503 \`deadline_exceeded\` after the deadline of 5 seconds | ${count(load.failed)} |
| Slowest response | ${load.slowestSeconds.toFixed(1)} s |
| Most memory that the host held, with 256 MiB of heap | ${mebibytes(load.peakMebibytes)} |
| A read right after it | 200 after ${load.afterwardsMs} ms |`

const simulationSection = ({ worlds, seconds }: Figures['simulation']): string => `## Simulation

${count(worlds)} worlds of one to three days each kept every rule of [the simulation](../test/simulation/README.md#rules), in ${Math.round(seconds / 60)} minutes.`

const killsSection = ({ snapshots, killed }: Figures['kills']): string => `## Kills

In ${snapshots} snapshots one of two hosts was killed at ${killed.length} points. Each snapshot ended complete, with every order once, and the next one
started.

${killed.map(each => `- ${each}`).join('\n')}`

const soakSection = ({ minutes, requests, lost, slowestSeconds, heapMegabytes, sockets }: Figures['soak']): string =>
  `## Soak

${minutes} minutes of mixed traffic, while one response in 50 of every dependency is lost.

| | |
|---|---|
| Requests | ${count(requests)} |
| Lost responses | ${count(lost)} |
| Slowest response, with a deadline of 6 seconds | ${slowestSeconds.toFixed(1)} s |
| Heap before and after | ${heapMegabytes.map(value => `${value} MB`).join(', ')} |
| Open sockets idle and after | ${sockets.join(', ')} |`

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
  return `<!-- Written by \`npm run reliability\` from what its tests have measured. -->
# Reliability

What the app does when something that it depends on fails. Every figure can be measured again: \`npm run reliability\` runs all of the
tests below and writes this page, \`npm run reliability -- <folder>\` only those of one folder.

| Figure | Test |
|---|---|
| Fault matrix, fuzzed requests, overload | \`test/reliability\` |
| Simulation: days of snapshots with crashes, lost messages, damaged blobs and clocks that differ | \`test/simulation\` |
| Kills at each write of a run, before and after it takes effect | \`test/chaos/kill-between-writes\` |
| Soak: mixed traffic while responses are lost; heap and sockets at the end | \`test/chaos/soak\` |

A part of the matrix and of the simulation, 2,000 fuzzed requests, kills at random points and the search for
[secrets](security.md#threats) are in \`npm test\`.

## The fault matrix

${matrix.length} cells: a real server on loopback stands in front of one dependency and fails, while the others are well. Each cell has to have
the outcome that [the error table](reference.md#errors) and [the page on snapshots](snapshots.md#failures) say of it, and a
read has to be answered within its deadline and a second. After each fault the same has to succeed: the next read, the next
snapshot, a renewal; an order that was followed is told exactly once. What is expected of each cell is in
\`test/reliability/expectations.ts\`. It has two outcomes where chance decides whether the last try or the deadline comes first.

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
