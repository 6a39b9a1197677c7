import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { root } from '../../../local/build/bundle.ts'
import { runNode } from '../../../local/processes/run-node.ts'
import { caseId } from '../../../local/simulator/failure-cases.ts'
import { documentedCustomerId } from '../../../local/simulator/sample-data.ts'
import { type LocalStart, startEverything } from '../../support/local-start.ts'

/** All services start several times here, possibly on a busy machine. */
const patienceMs = 120_000
vi.setConfig({ testTimeout: patienceMs, hookTimeout: patienceMs })

let started: LocalStart
let ownData: string[]

beforeAll(async () => {
  ownData = await dataOfTheDeveloper()
  started = await startEverything(['--changes', 'off'])
})
afterAll(() => started.stop())

/** The files in the developer's own folder, which no test may change. */
const dataOfTheDeveloper = () => readdir(`${root}.local`).catch(() => [])

/** Runs another command during the start, as from another terminal. */
async function command(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [`${root}local/run.js`, ...args], {
    env: started.env,
    maxBuffer: 1e8,
  })
  return stdout
}

/** Sends a request from a printed command line. */
async function get(commandLine = '') {
  const url = /https?:\/\/[^\s"]+/.exec(commandLine)?.[0] ?? ''
  const response = await fetch(url)
  return { status: response.status, headers: response.headers, body: await response.text() }
}

type Snapshot = {
  snapshotId: string
  trigger: string
  status: string
  startedAt: string
  customers: object
  changes: object
}
const snapshots = async () =>
  ((await (await fetch(`${started.url}/api/snapshots`)).json()) as { value: Snapshot[] }).value
const orders = (id: string, query = '') => fetch(`${started.url}/api/customers/${id}/orders${query}`)
const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)

describe('`npm start`', () => {
  test('`npm start` prints the first request to try before all others, in a form for every shell', async () => {
    const [first, asOf] = started.printed('curl')
    const live = await get(first)
    const past = await get(asOf)

    expect(live.status).toBe(200)
    expect(JSON.parse(live.body)).toMatchObject({ totalCount: 2 })
    expect(past.headers.get('x-orders-source')).toBe('snapshot')
    expect(past.body).toBe(live.body)
    const lines = started.running.lines.map(line => line.trim())
    expect(lines.indexOf(first ?? '')).toBeLessThan(lines.findIndex(line => line.startsWith('functions host')))
    for (const line of started.printed('curl'))
      expect(line).toMatch(/^curl (http:\/\/[^\s"'?&|]+|"http:\/\/[^\s"'&|]+")$/)
  })

  test('`npm start` prints no warning, no line about its own requests, and no long line', () => {
    const { lines } = started.running
    expect(lines.filter(line => /warning|\{"event"/i.test(line))).toEqual([])
    expect(lines.filter(line => line.length > 120)).toEqual([])
    expect(lines.length).toBeLessThan(40)
  })

  test('`npm start` keeps the whole log of the host in a file', async () => {
    await orders(documentedCustomerId)
    const log = async () => readFile(join(started.folder, 'host.log'), 'utf8')
    await vi.waitFor(
      async () => expect(await log()).toMatch(/"event":"request",.*"function":"get-customer-orders"/),
      5_000,
    )
    expect(await log()).toContain('"event":"snapshot_planned"')
    await vi.waitFor(
      () => expect(started.running.lines.at(-1)).toMatch(/^\d\d:\d\d:\d\d {2}200 {2}get-customer-orders {2}\d+ ms$/),
      5_000,
    )
  })

  test('`npm start` has a snapshot of yesterday, and changes since then', async () => {
    const [today, yesterday, ...others] = await snapshots()
    expect(others).toEqual([])
    expect(yesterday).toMatchObject({
      trigger: 'timer',
      status: 'succeeded',
      customers: { planned: 42, read: 42, failed: 0 },
    })
    expect(yesterday?.startedAt.slice(0, 15)).toBe(`${day(-1)}T00:2`)
    expect(today).toMatchObject({
      trigger: 'request',
      status: 'completedWithErrors',
      customers: { planned: 42, read: 40, failed: 2 },
    })
    expect(today?.changes).toEqual({ created: 9, updated: 2, removed: 1 })
  })

  test('`npm start` has customers that fail today but were read yesterday', async () => {
    expect((await orders(caseId(20002))).status).toBe(403)
    const asOf = await orders(caseId(20002), `?asOf=${day(0)}`)
    expect([asOf.status, asOf.headers.get('x-orders-as-of')?.slice(0, 10)]).toEqual([200, day(-1)])
    expect(((await asOf.json()) as { totalCount: number }).totalCount).toBeGreaterThan(0)
  })

  test('`npm start` serves a page beside the functions, and `npm run host` does not', async () => {
    expect((await fetch(`${started.url}/`)).headers.get('content-type')).toBe('text/html; charset=utf-8')
    const running = JSON.parse(await readFile(join(started.folder, 'running.json'), 'utf8')) as {
      settings: Record<string, string>
    }
    const env = { ...started.env, ...running.settings, PORT: '0' }
    const host = await runNode(
      [`${root}local/run.js`, 'host'],
      lines => lines.some(line => line.startsWith('Listening')),
      { env },
    )
    try {
      const url = host.lines.find(line => line.startsWith('Listening'))?.replace('Listening on ', '')
      expect((await fetch(`${url}/api/health`)).status).toBe(200)
      const bare = await fetch(`${url}/`)
      expect([bare.status, await bare.text()]).toEqual([404, ''])
    } finally {
      await host.stop()
    }
  })

  test('`npm start` refuses to start twice on one folder', async () => {
    const second = promisify(execFile)(process.execPath, [`${root}local/run.js`, 'start'], { env: started.env })
    await expect(second).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^npm start runs already: http.*End it with Ctrl-C, or set LOCAL_DATA_FOLDER/),
    })
  })
})

describe('other commands during `npm start`', () => {
  test('`npm run files` lists, prints and copies the files of the app', async () => {
    const path = started.printed('snapshots/date=')[0] ?? ''
    expect(path).toMatch(/^snapshots\/date=\d{4}-\d\d-\d\d\/run=\d{8}T\d{6}Z$/)
    const all = (await command('files')).trimEnd().split('\n')
    expect(all.filter(line => line.endsWith(`${path}/_manifest.json`))).toHaveLength(1)
    expect(all.length).toBeGreaterThan((await command('files', 'ls', path)).trimEnd().split('\n').length)

    const text = await command('files', 'cat', `${path}/part-00000.ndjson.gz`)
    const rows = text
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as { order: { status: string } })
    expect(rows.length).toBeGreaterThan(100)
    expect(rows.every(({ order }) => typeof order.status === 'string')).toBe(true)

    const copies = join(started.folder, 'copies')
    await command('files', 'get', path, copies)
    expect(gunzipSync(await readFile(join(copies, path, 'part-00000.ndjson.gz'))).toString()).toBe(text)
    await expect(command('files', 'cat', 'nothing')).rejects.toMatchObject({
      stderr: expect.stringMatching(/^There is no file nothing\. List/),
    })
  })

  test('`npm run consent -- --local` signs in at the simulator, over plain HTTP for the browser', async () => {
    const env = { ...started.env, CONSENT_PORT: '0' }
    const consent = await runNode(
      [`${root}local/run.js`, 'consent', '--local'],
      lines => lines.some(line => line.includes('/authorize?')),
      { env },
    )
    const ended = once(consent.process, 'exit')
    const signInUrl = consent.lines.find(line => line.includes('/authorize?'))?.trim() ?? ''
    expect(signInUrl).toMatch(/^http:\/\/127\.0\.0\.1:/)
    const body = new URLSearchParams([...new URL(signInUrl).searchParams, ['choice', 'accept'], ['mfa', 'on']])
    const answer = await fetch(signInUrl, { method: 'POST', body, redirect: 'manual' })
    await fetch(answer.headers.get('location')?.replace('localhost', '127.0.0.1') ?? '')

    expect(await ended).toEqual([0, null])
    expect(consent.lines).toEqual(
      expect.arrayContaining([expect.stringContaining('The sign-in is stored'), 'Partner Center accepts it.']),
    )
  })

  test('`npm run snapshot` shows the progress of another one until it ends', async () => {
    const stdout = await command('snapshot', started.url)
    expect(stdout).toMatch(/^Started http.*\/api\/snapshots\/\d{8}T\d{6}Z$/m)
    expect(stdout).toMatch(/^42\/42 customers, 2 failed, \d+ orders, \d+\/min, 0 s left$/m)
    expect(stdout).toMatch(/^completedWithErrors after \d+ s: snapshots\/date=/m)
    const [, report = ''] = /^Report: (http.+)$/m.exec(stdout) ?? []
    expect(await (await fetch(report)).text()).toMatch(/^<!doctype html>/)
  })
})

test('Ctrl-C stops everything, and the next start keeps the stored days and takes its own options', async () => {
  const before = await snapshots()
  const ended = once(started.running.process, 'exit')
  started.running.process.kill('SIGINT')
  expect(await ended).toEqual([0, null])
  await expect(fetch(`${started.url}/api/health`)).rejects.toThrow()

  const again = await startEverything(['--changes', '1', '--failures'], { LOCAL_DATA_FOLDER: started.folder })
  try {
    const list = (await (await fetch(`${again.url}/api/snapshots`)).json()) as { value: Snapshot[] }
    expect(list.value.slice(1)).toEqual(before)
    expect(list.value[0]?.changes).toEqual({ created: 0, updated: 0, removed: 0 })

    // The options of this start: the failures are listed, and changes come every second.
    expect(again.printed(caseId(20002))).toEqual([`${caseId(20002)}  no reseller relationship`])
    const count = async () =>
      ((await (await fetch(`${again.url}/local/state`)).json()) as { orders: { count: number } }).orders.count
    await vi.waitFor(async () => expect(await count()).toBeGreaterThan(13), 10_000)
  } finally {
    await again.stop()
  }
})

test.each<[NodeJS.Signals, string]>([
  ['SIGINT', 'Starting storage'],
  ['SIGHUP', 'Taking yesterday'],
  ['SIGKILL', 'Listening'],
])('%s after "%s …" leaves no process behind', async (signal, line) => {
  const folder = await mkdtemp(join(tmpdir(), 'start-'))
  const env = { ...process.env, PORT: '0', LOCAL_DATA_FOLDER: folder }
  const start = spawn(process.execPath, [`${root}local/run.js`, 'start'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  start.stdout.on('data', chunk => {
    text += String(chunk)
  })
  await vi.waitFor(() => expect(text).toContain(line), 60_000)
  const family = await vi.waitFor(async () => {
    const found = await descendants(start.pid ?? 0)
    expect(found.length).toBeGreaterThan(0)
    return found
  }, 20_000)
  start.kill(signal)
  await vi.waitFor(
    async () => expect((await processes()).filter(({ pid }) => family.includes(pid))).toEqual([]),
    20_000,
  )
  await rm(folder, { recursive: true, force: true })
})

test('the tests of `npm start` do not touch the developer’s data', async () => {
  expect(await dataOfTheDeveloper()).toEqual(ownData)
})

type Process = { pid: number; parent: number }

/** Every process with its parent, from /proc or, without it, from ps. */
async function processes(): Promise<Process[]> {
  const names = (await readdir('/proc').catch(() => [])).filter(name => /^\d+$/.test(name))
  if (names.length === 0) {
    const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid='])
    return stdout
      .trim()
      .split('\n')
      .map(line => toProcess(line.trim().split(/\s+/)))
  }
  const all = await Promise.all(
    names.map(async name => {
      const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => undefined)
      // The program name is in parentheses and can contain spaces. A zombie has ended.
      const [state, parent] = stat?.split(') ').at(-1)?.split(' ') ?? []
      return state === undefined || state === 'Z' ? [] : [toProcess([name, parent ?? '0'])]
    }),
  )
  return all.flat()
}

const toProcess = ([pid, parent]: string[]): Process => ({ pid: Number(pid), parent: Number(parent) })

async function descendants(pid: number): Promise<number[]> {
  const all = await processes()
  const below = (parent: number): number[] =>
    all.filter(each => each.parent === parent).flatMap(each => [each.pid, ...below(each.pid)])
  return below(pid)
}
