import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root } from '../../local/build/bundle.ts'
import { refuse } from '../../local/simulator/failure-cases.ts'
import { createWorkspace } from '../infra/kusto/workspace.ts'
import { readDocument } from '../support/markdown.ts'
import { type Block, blocksIn, documents } from '../support/markdown-blocks.ts'
import { createOperation } from '../support/operations.ts'
import { type RunningApp, startApp } from '../support/running-app.ts'
import { createWorld, makeCustomers, placeOrder, run } from '../support/snapshot-world.ts'
import { takeSnapshot } from '../support/snapshots.ts'
import { evaluate, plainFunctions } from '../support/workflow-expression.ts'

/** The test that runs an npm command, by the name of the script. */
const npmTests: Readonly<Record<string, string>> = {
  ci: 'test/local/commands/messages.test.ts',
  start: 'test/local/commands/start.test.ts',
  files: 'test/local/commands/start.test.ts',
  consent: 'test/local/commands/consent.test.ts',
  smoke: 'test/local/commands/smoke.test.ts',
  stack: 'test/local/build/read-stack.test.ts',
  test: 'test/docs/blocks.test.ts',
}

/** Blocks that other tests read from the document and run. */
const otherTests: readonly { document: string; language: string; runs: RegExp; test: string }[] = [
  { document: 'docs/data.md', language: 'sql', runs: /./, test: 'test/docs/data.test.ts' },
  { document: 'docs/snapshots.md', language: 'sql', runs: /./, test: 'test/docs/snapshots.test.ts' },
  // The samples of the recipes have the same expressions, and test/contract/recipes.test.ts runs the samples.
  { document: 'docs/power-automate.md', language: '', runs: /^@?\w+\(/, test: 'test/docs/power-automate.test.ts' },
]

/** Tools and services that the tests do not have. A block without any of them can be run. */
const unavailable = /\b(az|azd|azcopy|paconn|pip|read -rs|INSTALL azure|AzureStorage|adlfs|spark|AppTraces)\b/

const isRequest = ({ text }: Block): boolean => /^curl /.test(text)
const isLayout = ({ text }: Block): boolean => /^(snapshots|lines)\/date=/.test(text)

const blocks = documents.flatMap(document => blocksIn(document))
const isRead = ({ text }: Block): boolean => !text.includes('-X POST')
/** Requests that change something come last. */
const requests = blocks
  .filter(block => block.notRunBecause === undefined && isRequest(block))
  .sort((a, b) => Number(isRead(b)) - Number(isRead(a)))
const responseOf = (request: Block): Block | undefined => {
  const next = blocks[blocks.indexOf(request) + 1]
  return next?.document === request.document && next.language === 'json' ? next : undefined
}
const responses = new Set(requests.map(responseOf))

/** The test that runs a block. Undefined if there is none. */
function testOf(block: Block): string | undefined {
  if (isRequest(block) || isLayout(block) || block.language === 'kusto' || responses.has(block)) {
    return 'test/docs/blocks.test.ts'
  }
  const commands = block.text.split(/\n|&&/).map(command => command.trim())
  const scripts = commands.map(command => /^npm (?:run (?:(?:-s|--silent) )?)?(\w+)/.exec(command)?.[1] ?? '')
  if (scripts.every(script => script in npmTests)) return npmTests[scripts[0] ?? '']
  return otherTests.find(
    ({ document, language, runs }) =>
      block.document === document && block.language === language && runs.test(block.text),
  )?.test
}

const titleOf = ({ document, text }: Block): string => `${document}: ${text.split('\n')[0]?.slice(0, 60)}`
const named = (list: readonly Block[]) => list.map(block => [titleOf(block), block] as const)

test('a block has a language or is text', () => {
  const [block] = blocksIn(
    '',
    'Not run by the tests: needs\na moon.\n\n## One\n\n1. List\n\n   ```sh\n   az login\n   ```\n',
  )
  expect(block).toEqual({ document: '', language: 'sh', text: 'az login', notRunBecause: 'a moon' })
})

const withCode = blocks.filter(({ language }) => language !== 'mermaid')

test.each(named(withCode))('a test runs the block, or the document says why not: %s', (_, block) => {
  if (block.notRunBecause === undefined || testOf(block) !== undefined) {
    const file = testOf(block)
    expect(file, 'No test runs this block. Add one, or write "Not run by the tests: needs …." beside it').toBeDefined()
    expect(existsSync(join(root, file ?? ''))).toBe(true)
  } else {
    expect(block.text, 'The tests can run this block').toMatch(unavailable)
  }
})

test('each script of the documents is in the test that runs it', () => {
  for (const [script, file] of Object.entries(npmTests)) expect(readDocument(file), file).toContain(script)
  for (const { document, test: file } of otherTests)
    expect(readDocument(file)).toContain(document.slice('docs/'.length))
})

let app: RunningApp

beforeAll(async () => {
  app = await startApp({
    settings: { PARTNER_CENTER_REQUESTS_PER_MINUTE: '60000' },
  })
  const [, failing] = app.simulator.partnerCenter.customers
  app.simulator.partnerCenter.faults.set(failing?.id ?? '', refuse(403, '20002', 'No relationship.'))
  for (let times = 0; times < 2; times++) await takeSnapshot(app.api)
})
afterAll(() => app.stop())

test.each(named(requests))('the documented request has the documented response: %s', async (_, request) => {
  const [, method = 'GET'] = /-X (\w+)/.exec(request.text) ?? []
  const [url = ''] = /http:\/\/127\.0\.0\.1:7071[^'"\s]*/.exec(request.text) ?? []
  const response = await fetch(url.replace('http://127.0.0.1:7071', app.url), { method })
  const documented = responseOf(request)
  if (documented === undefined) expect(response.status).toBeLessThan(300)
  const body = (await response.text()).replaceAll(app.url, 'http://127.0.0.1:7071')
  let at = 0
  for (const piece of documented?.text.split('…') ?? []) {
    const found = body.indexOf(piece, at)
    expect(found, `${piece} in ${body.slice(0, 500)}`).toBeGreaterThanOrEqual(at)
    at = found + piece.length
  }
})

/** A blob name without its date, run and part number. */
const patternOf = (name: string): string =>
  name
    .replaceAll(/\d{4}-\d\d-\d\d/g, 'DATE')
    .replaceAll(/\d{8}T\d{6}Z/g, 'RUN')
    .replaceAll(/\d{5}/g, 'PART')

test('the documented files are those of the container', async () => {
  const world = await createWorld()
  world.customers.push(...makeCustomers(3))
  await run(world)
  placeOrder(world, 1, 'new')
  await world.clock.advance(10 * 60_000)
  await world.clock.drive(world.snapshots.follow(createOperation({ clock: world.clock, seconds: 1000 })))
  await world.drain()
  const names = [...world.store.blobs.keys()].map(patternOf)

  const layouts = blocks.filter(isLayout)
  const documented = layouts.map(({ text }) =>
    text.split('\n').flatMap(line => patternOf(line.split(/ {2,}/)[0] ?? '').split(', ')),
  )
  expect(layouts).toHaveLength(2)
  for (const name of documented.flat()) {
    expect(
      names.filter(each => (name.endsWith('…') ? each.startsWith(name.slice(0, -1)) : each === name)),
      name,
    ).not.toEqual([])
  }
  const [whole = []] = documented.sort((a, b) => b.length - a.length)
  expect(names.filter(name => !name.startsWith('following/') && !whole.includes(name))).toEqual([])
})

const queries = blocks.filter(({ language }) => language === 'kusto')

test.each(named(queries))('the Kusto language service accepts the query: %s', (_, { text }) => {
  expect(createWorkspace().faultsOf(text)).toEqual([])
})

test('the expressions for a failed action return its code and message', () => {
  const [, text = ''] = readDocument('docs/power-automate.md').split('## When an action fails')
  const [block] = blocksIn('', text)
  const error = { code: 'customer_not_found', message: 'No such customer.' }
  const functions = { ...plainFunctions, body: () => ({ error }) }
  expect(block?.text.split('\n').map(line => evaluate(`@${line}`, functions))).toEqual([error.code, error.message])
})
