import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { root } from '../../../local/build/bundle.ts'

vi.setConfig({ testTimeout: 60_000 })

let folder: string
let busy: number
const server = createServer()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'messages-'))
  await writeFile(join(folder, 'file'), '')
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  busy = (server.address() as AddressInfo).port
})
afterAll(async () => {
  server.close()
  await rm(folder, { recursive: true })
})

/** Runs a command with an empty environment. Returns its output and exit code. */
const run = (args: string[], env: Record<string, string> = {}, script = `${root}local/run.js`) =>
  new Promise<{ code: unknown; text: string }>(resolve => {
    const options = {
      env: { PATH: process.env.PATH, LOCAL_DATA_FOLDER: join(folder, 'data'), ...env },
      timeout: 20_000,
    }
    execFile(process.execPath, [script, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, text: `${stdout}${stderr}`.trim() }),
    )
  })

const settings = {
  PARTNER_CENTER_TENANT_ID: '00000000-0000-4000-8000-000000000001',
  PARTNER_CENTER_CLIENT_ID: '00000000-0000-4000-8000-000000000001',
  PARTNER_CENTER_CREDENTIAL: 'federated',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
}

test.each<[name: string, args: string[], env: () => Record<string, string>, says: RegExp]>([
  ['a busy port', ['start'], () => ({ PORT: String(busy) }), /^Port \d+ is in use\. .* \$env:PORT = \d+/],
  ['a busy port of the host', ['host'], () => ({ ...settings, PORT: String(busy) }), /^Port \d+ is in use\. /],
  ['a port that is none', ['start'], () => ({ PORT: 'abc' }), /^PORT is "abc", .* number from 0 to 65535\.$/],
  ['a port that is none of the host', ['host'], () => ({ ...settings, PORT: '70000' }), /^PORT is "70000"/],
  ['settings that are missing', ['host'], () => ({}), /PARTNER_CENTER_TENANT_ID is required/],
  [
    'a folder that cannot be made',
    ['start'],
    () => ({ LOCAL_DATA_FOLDER: join(folder, 'file', 'x') }),
    /^Cannot write .*file.* \(ENOTDIR\)\. Give/,
  ],
  [
    'an option that is not known',
    ['start', '--fast'],
    () => ({}),
    /^These options are not known\. Use: npm start -- \[/,
  ],
  ['changes at no rate', ['start', '--changes', 'often'], () => ({}), /^These options are not known/],
  [
    'nobody to take a snapshot',
    ['snapshot', 'http://127.0.0.1:2'],
    () => ({}),
    /^http:\/\/127\.0\.0\.1:2 does not respond \(ECONNREFUSED\)\. Start/,
  ],
  [
    'an address without https://',
    ['snapshot', 'your-app.azurewebsites.net'],
    () => ({}),
    /^"your-app\.azurewebsites\.net" is no address .* https:\/\//,
  ],
  [
    'an address without https:// for smoke',
    ['smoke', 'your-app.azurewebsites.net'],
    () => ({}),
    /^"your-app\.azurewebsites\.net" is no address .* https:\/\//,
  ],
  ['no start to list files of', ['files'], () => ({}), /^Nothing runs on this machine\. Run "npm start"/],
  ['no start to sign in at', ['consent', '--local'], () => ({}), /^Nothing runs on this machine\. Run "npm start"/],
  ['an option of consent', ['consent', '--now'], () => ({}), /^These options are not known\. Use: npm run consent/],
])('%s gives one sentence with a fix and without a stack', async (_, args, env, says) => {
  const { code, text } = await run(args, env())
  expect(text).toMatch(says)
  expect(text).not.toMatch(/\n\s+at /)
  expect(text.split('\n')).toHaveLength(1)
  expect(code).toBe(1)
})

test('`smoke` passes no check without a running app', async () => {
  const { code, text } = await run(['smoke', 'http://127.0.0.1:2'])
  expect(code).toBe(1)
  const lines = text.split('\n')
  expect(lines).toHaveLength(6)
  expect(
    lines.filter(
      line => !/^FAIL {2}[\w ]+: http:\/\/127\.0\.0\.1:2 does not respond \(ECONNREFUSED\)\. Start/.test(line),
    ),
  ).toEqual([])
})

test('missing packages are reported before anything else fails', async () => {
  const bare = join(folder, 'bare')
  await mkdir(join(bare, 'local'), { recursive: true })
  await writeFile(join(bare, 'package.json'), '{"type":"module"}')
  for (const name of ['run.js', 'installed.js']) await copyFile(`${root}local/${name}`, join(bare, 'local', name))
  const script = join(bare, 'local', 'run.js')

  expect(await run(['start'], {}, script)).toEqual({ code: 1, text: 'The packages are not installed. Run: npm ci' })
  await mkdir(join(bare, 'node_modules'))
  await writeFile(join(bare, 'node_modules', '.package-lock.json'), '{}')
  // An older Node.js, which cannot run TypeScript.
  const { text } = await run(['start'], { NODE_OPTIONS: '--no-experimental-strip-types' }, script)
  expect(text).toMatch(/^The scripts need Node 24, .* Run: npm ci --ignore-scripts=false$/)
})

test('`build` and `connector` print what they did', async () => {
  expect((await run(['build'])).text).toMatch(/^Built \d+ files, \d+ KiB: dist$/)
  expect((await run(['connector'])).text).toMatch(/apiDefinition\.swagger\.json is up to date\.$/)
})
