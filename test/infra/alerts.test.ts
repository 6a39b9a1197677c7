import { glob, readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { root } from '../../local/build/bundle.ts'
import { errorKinds } from '../../shared/errors.ts'
import { createLog } from '../../shared/runtime/log.ts'
import { createOperation, type LoggedEvent } from '../support/operations.ts'
import { createWorld, customerId, makeCustomers, type UpstreamCustomer } from '../support/snapshot-world.ts'

const folder = join(root, 'infra/alerts')
const files = (await readdir(folder)).toSorted()
const queries = await Promise.all(
  files.map(
    async (file): Promise<[name: string, query: string]> => [
      basename(file, '.kql'),
      await readFile(join(folder, file), 'utf8'),
    ],
  ),
)

/** The words that a query compares a column with: those in quotes in `column in ("…", "…")`. */
const comparedWith = (query: string, column: string): string[] =>
  [...query.matchAll(new RegExp(`\\b${column} in \\(([^)]*)\\)`, 'g'))].flatMap(([, list = '']) =>
    [...list.matchAll(/"([^"]+)"/g)].map(([, word = '']) => word),
  )

/** The names of events in the code: the last word in quotes before the fields of a call of `log`. */
async function eventsInCode(): Promise<string[]> {
  const sources = await Array.fromAsync(glob('{shared,functions}/**/*.ts', { cwd: root }))
  const texts = await Promise.all(sources.map(file => readFile(join(root, file), 'utf8')))
  const calls = texts.flatMap(text => [...text.matchAll(/\blog\(([^{]*)\{/g)].map(([, before = '']) => before))
  return calls.flatMap(before => [...before.matchAll(/'([a-z]+(?:_[a-z]+)*)'/g)].at(-1)?.[1] ?? [])
}

/** Takes a snapshot in memory and returns its log events, because the names of its end events depend on the status. */
async function eventsOfRun(customers: UpstreamCustomer[], only?: [string, string][]): Promise<LoggedEvent[]> {
  const world = await createWorld()
  world.customers.push(...customers)
  const operation = createOperation({ clock: world.clock, seconds: 1680 })
  await world.snapshots.start('request', only, operation)
  for (let next = world.queue.shift(); next !== undefined; next = world.queue.shift()) {
    await world.snapshots.handle(next.message, operation)
  }
  return operation.logged
}

const gone = (id: number): UpstreamCustomer => ({
  id: customerId(id),
  name: 'Gone',
  orders: { status: 404, code: '60003' },
})

let runs: LoggedEvent[][]
let known: Set<string>

beforeAll(async () => {
  runs = await Promise.all([
    eventsOfRun(makeCustomers(3)),
    eventsOfRun([...makeCustomers(2), gone(9)]),
    eventsOfRun([gone(9)]),
    eventsOfRun(makeCustomers(3), [[customerId(1), 'Customer 1']]),
  ])
  known = new Set([...(await eventsInCode()), ...runs.flat().map(({ event }) => event)])
})

describe('an alert', () => {
  test.each(queries)('alert %s queries events that the code logs', (name, query) => {
    const events = comparedWith(query, 'event')
    expect(events.length > 0 || name === 'server-errors').toBe(true)
    expect(events.filter(event => !known.has(event))).toEqual([])
  })

  test.each(queries)('alert %s queries existing error codes and functions', async (_, query) => {
    expect(comparedWith(query, 'code').filter(code => !(code in errorKinds))).toEqual([])
    const functions = await readdir(join(root, 'functions'))
    expect(comparedWith(query, 'Name').filter(name => !functions.includes(`${name}.ts`))).toEqual([])
  })

  test.each(queries)('alert %s filters messages by every word that it compares', (_, query) => {
    const sought = [...query.matchAll(/Message has(?:_any)? \(?([^\n)]*)/g)].flatMap(([, list = '']) =>
      [...list.matchAll(/"([^"]+)"/g)].map(([, word = '']) => word),
    )
    const words = [...comparedWith(query, 'event'), ...comparedWith(query, 'code')]
    const general = [
      'request',
      'customer_failed',
      'credential_unusable',
      'snapshot_stopped',
      'credential_renewal_failed',
    ]
    if (sought.includes('snapshotId')) return
    expect(words.filter(word => !sought.includes(word) && !general.includes(word))).toEqual([])
  })

  test('every alert is documented for the operator', async () => {
    const operations = await readFile(join(root, 'docs/operations.md'), 'utf8')
    expect(queries.map(([name]) => name).filter(name => !operations.includes(`\`${name}\``))).toEqual([])
  })

  test('every alert is deployed', async () => {
    const module = await readFile(join(root, 'infra/modules/alerts.bicep'), 'utf8')
    const loaded = [...module.matchAll(/name: '([\w-]+)'[\s\S]*?loadTextContent\('\.\.\/alerts\/([\w-]+)\.kql'\)/g)]
    expect(loaded.map(([, , file]) => file).toSorted()).toEqual(queries.map(([name]) => name))
    for (const [, name, file] of loaded) expect(name).toBe(file)
  })
})

describe('the code', () => {
  /** The events after the end of a run are about its report. */
  const endOf = (events: (typeof runs)[number]) => events.findLast(({ event }) => !event.startsWith('report_'))

  test('the code logs the end of a run with an event for each status', () => {
    const ends = runs.map(events => endOf(events)?.event)
    expect(ends).toEqual([
      'snapshot_succeeded',
      'snapshot_completed_with_errors',
      'snapshot_failed',
      'snapshot_succeeded',
    ])
  })

  test('the code logs the fields that the alerts show', () => {
    const [, incomplete] = runs.map(events => endOf(events)?.fields)
    expect(incomplete).toMatchObject({ snapshotId: expect.any(String), customers: { planned: 3, failed: 1 } })
  })

  test('the code logs the number of customers at the start of a run over some customers', () => {
    const starts = runs.map(events => events.find(({ event }) => event === 'snapshot_started')?.fields)
    expect(starts.map(fields => fields?.customers)).toEqual([undefined, undefined, undefined, 1])
  })

  test('the queries can read the lines of the code, also with a prefix of the platform', () => {
    const extracts = queries.flatMap(([, query]) =>
      [...query.matchAll(/extract\(@'([^']+)', 0, Message\)/g)].map(([, pattern = '']) => pattern),
    )
    expect(new Set(extracts).size).toBe(1)
    const lines: string[] = []
    const write = (line: string) => void lines.push(line)
    createLog({ debug: write, info: write, warn: write, error: write })('error', 'snapshot_failed', {
      error: { code: 'x' },
    })
    const read = new RegExp(extracts[0] ?? '').exec(`LanguageWorkerConsoleLog ${lines[0]}`)?.[0] ?? ''
    expect(JSON.parse(read)).toEqual({ event: 'snapshot_failed', level: 'error', error: { code: 'x' } })
  })
})
