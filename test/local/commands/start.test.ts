import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root } from '../../../local/build/bundle.ts'
import { type Running, runNode } from '../../../local/processes/run-node.ts'

let everything: Running

beforeAll(async () => {
  everything = await runNode(
    [`${root}local/commands/start.ts`],
    lines => lines.some(line => line.startsWith('Ctrl-C')),
    {
      env: { ...process.env, PORT: '0', PARTNER_CENTER_REQUESTS_PER_MINUTE: '6000' },
    },
  )
})
afterAll(() => everything.stop('SIGKILL'))

const printed = (start: string): string[] =>
  everything.lines.map(line => line.trim()).filter(line => line.startsWith(start))

const get = async (commandLine: string | undefined) => {
  const url = /https?:\/\/[^\s']+/.exec(commandLine ?? '')?.[0] ?? ''
  const response = await fetch(url)
  return { status: response.status, headers: response.headers, body: await response.text() }
}

test('`npm start` prints requests that work', async () => {
  const [orders, , asOf] = printed('curl')
  const live = await get(orders)
  const past = await get(asOf)

  expect(live.status).toBe(200)
  expect(JSON.parse(live.body)).toMatchObject({ totalCount: 2 })
  expect(past.headers.get('x-orders-source')).toBe('snapshot')
  expect(past.body).toBe(live.body)
})

test('it takes a snapshot, says where it lies, and prints a command that reads it', async () => {
  const [, zcat = ''] = printed('curl')
  const path = everything.lines.map(line => line.trim()).find(line => line.startsWith('snapshots/date='))
  const { stdout } = await promisify(execFile)('sh', ['-c', zcat.replace(/\| jq .*/, '')], { maxBuffer: 1e8 })

  expect(path).toMatch(/^snapshots\/date=\d{4}-\d\d-\d\d\/run=\d{8}T\d{6}Z$/)
  const rows = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { order: { status: string } })
  expect(rows.length).toBeGreaterThan(100)
  expect(rows.every(({ order }) => typeof order.status === 'string')).toBe(true)
})

test('`npm run snapshot` shows the progress of another one until it ends', async () => {
  const url =
    printed('functions host')[0]
      ?.replace(/^functions host\s+/, '')
      .replace(/\/api$/, '') ?? ''
  const { stdout } = await promisify(execFile)(process.execPath, [`${root}local/commands/snapshot.ts`, url])

  expect(stdout).toMatch(/^Started http.*\/api\/snapshots\/\d{8}T\d{6}Z$/m)
  expect(stdout).toMatch(/^40\/40 customers, \d+ orders, \d+\/min, 0 s left$/m)
  expect(stdout).toMatch(/^succeeded after \d+ s: snapshots\/date=/m)
})

test('Ctrl-C ends all of it cleanly', async () => {
  const host = printed('functions host')[0]?.replace(/^functions host\s+/, '') ?? ''
  const ended = new Promise<number | null>(resolve => everything.process.once('exit', resolve))
  everything.process.kill('SIGINT')

  expect(await ended).toBe(0)
  await expect(fetch(`${host}/health`)).rejects.toThrow()
})
