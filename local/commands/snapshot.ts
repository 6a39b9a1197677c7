import { setTimeout as sleep } from 'node:timers/promises'
import { environment } from '../../shared/settings.ts'
import { noResponse, readAppUrl } from '../processes/app-url.ts'
import { CommandError } from '../processes/command-error.ts'

/**
 * `npm run snapshot [-- URL [KEY]]`: starts a snapshot on a running app and shows its progress until it ends: a bar on
 * a terminal, otherwise a line every few seconds.
 */
const [url = environment().APP_URL ?? 'http://127.0.0.1:7071', key = environment().APP_KEY] = process.argv.slice(2)

const base = readAppUrl(url)

type Progress = {
  snapshotId: string
  status: string
  customers: { planned: number; read: number; failed: number }
  orders: number
  path?: string
}
type Problem = { error?: { code: string; message: string } }

const headers = { 'content-type': 'application/json', ...(key === undefined ? {} : { 'x-functions-key': key }) }
const isTerminal = process.stdout.isTTY
/** Seconds between two lines without a terminal. */
const lineSeconds = 5
const barWidth = 30

const duration = (seconds: number): string => {
  if (!Number.isFinite(seconds)) return '?'
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`
}

function describe({ customers: { planned, read, failed }, orders }: Progress, elapsedSeconds: number): string {
  const done = read + failed
  if (planned === 0) return 'listing the customers …'
  const perMinute = (done / elapsedSeconds) * 60
  const left = duration(((planned - done) / perMinute) * 60)
  const filled = Math.round((done / planned) * barWidth)
  const bar = isTerminal ? `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} ` : ''
  const failures = failed === 0 ? '' : `, ${failed} failed`
  return `${bar}${done}/${planned} customers${failures}, ${orders} orders, ${perMinute.toFixed(0)}/min, ${left} left`
}

async function explain(response: Response): Promise<string> {
  const { error } = (await response.json().catch(() => ({}))) as Problem
  return error === undefined ? `The app returned ${response.status}.` : `${error.code}: ${error.message}`
}

const ask = (path: string | URL, method = 'GET'): Promise<Response> =>
  fetch(new URL(path, base), { method, headers }).catch(error => {
    throw noResponse(base, error)
  })

const started = await ask('/api/snapshots', 'POST')
const isGoingOn = started.status === 409
if (started.status !== 202 && !isGoingOn) {
  throw new CommandError(await explain(started))
}
const location = started.headers.get('location') ?? ''
console.log(isGoingOn ? `A snapshot is being taken already: ${location}` : `Started ${location}`)

const startedAt = Date.now()
let shownAt = 0
for (;;) {
  const response = await ask(location)
  if (response.status !== 200 && response.status !== 202) {
    if (isTerminal) process.stdout.write('\n')
    throw new CommandError(`${await explain(response)}\nReport: ${location}/report`)
  }
  const progress = (await response.json()) as Progress
  const elapsedSeconds = (Date.now() - startedAt) / 1000
  if (isTerminal) process.stdout.write(`\r\x1b[K${describe(progress, elapsedSeconds)}`)
  else if (response.status === 200 || Date.now() - shownAt >= lineSeconds * 1000) {
    console.log(describe(progress, elapsedSeconds))
    shownAt = Date.now()
  }
  if (response.status === 200) {
    const { status, path } = progress
    console.log(`${isTerminal ? '\n' : ''}${status} after ${duration(elapsedSeconds)}: ${path}`)
    console.log(`Report: ${location}/report`)
    break
  }
  await sleep(500)
}
