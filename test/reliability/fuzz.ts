import { readFile } from 'node:fs/promises'
import { Agent, type IncomingMessage, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { type ErrorCode, errorKinds } from '../../shared/errors.ts'
import type { RunningApp } from '../support/running-app.ts'
import { createFuzz, type FuzzedRequest } from './fuzzed-requests.ts'

export type FuzzResult = {
  requests: number
  seconds: number
  /** Responses by status and error code. */
  outcomes: Record<string, number>
  /** Responses that no caller should get, with the number of their request. */
  faults: string[]
  /** The most memory that the host has held, in MiB; only Linux tells. */
  peakMebibytes: number | undefined
}

type Reply = { status: number; headers: IncomingMessage['headers']; body: Buffer }

/** Sent at a time: enough that requests meet. */
const atOnce = 16
/** What the platform refuses by itself, without a body. */
const refusedByPlatform = [400, 401, 404, 413, 414, 431]

function sendOnce(
  url: string,
  agent: Agent | false,
  { method, path, headers, body, chunked }: FuzzedRequest,
): Promise<Reply> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const framing = chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(body?.length ?? 0) }
    const options = {
      hostname,
      port,
      method,
      path,
      headers: { ...headers, ...(body === undefined ? {} : framing) },
      agent,
    }
    const sending = request(options, async response => {
      try {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: await buffer(response) })
      } catch (error) {
        reject(error)
      }
    })
    sending.on('error', reject)
    sending.end(body)
  })
}

/** Connections that the host has closed, since it was done with them or before it had read a body that it refuses. */
const tries = 3

async function send(url: string, agent: Agent, fuzzed: FuzzedRequest): Promise<Reply> {
  for (let count = 1; ; count++) {
    try {
      return await sendOnce(url, count === 1 ? agent : false, fuzzed)
    } catch (error) {
      const isClosed = error instanceof Error && 'code' in error && /^(ECONNRESET|EPIPE)$/.test(String(error.code))
      if (!isClosed || count === tries) throw new Error(`${fuzzed.method} ${fuzzed.path}`, { cause: error })
    }
  }
}

/** What is wrong with a response, if anything. */
export function faultOf(
  { method }: Pick<FuzzedRequest, 'method'>,
  { status, headers, body }: Reply,
): string | undefined {
  if (body.length === 0 && headers['x-correlation-id'] === undefined) {
    return refusedByPlatform.includes(status) ? undefined : `an empty ${status} that is not of the app`
  }
  if (status >= 500) return `${status} ${body.toString().slice(0, 300)}`
  const id = headers['x-correlation-id']
  if (!/^[\w.-]{1,128}$/.test(String(id))) return `the correlation id ${String(id)}`
  if (status < 400 || method === 'HEAD') return undefined
  if (headers['content-type'] !== 'application/json') return `${status} as ${headers['content-type']}`
  const problem = JSON.parse(body.toString()) as Record<string, unknown> & {
    error: { code: ErrorCode; message: string }
  }
  const { type, title, detail, instance, error, correlationId, retryable } = problem
  const isKnown = Object.hasOwn(errorKinds, error.code) && errorKinds[error.code].status === status
  if (!isKnown || error.code === 'internal_error') return `${status} ${error.code}`
  const texts = [type, title, detail, instance, error.message]
  if (!texts.every(text => typeof text === 'string' && text !== ''))
    return `${status} without ${JSON.stringify(problem)}`
  if (problem.status !== status || correlationId !== id || detail !== error.message)
    return `${status} that differs in itself`
  const hasWait = headers['retry-after'] !== undefined
  if (retryable !== (status === 429) || hasWait !== (status === 429)) return `${status}: retryable ${String(retryable)}`
  return headers['cache-control'] === 'private, no-store' ? undefined : `${status} that may be cached`
}

const outcomeOf = ({ status, body }: Reply): string => {
  const code = status >= 400 ? /"code":"(\w+)"/.exec(body.toString())?.[1] : undefined
  return code === undefined ? `${status}${status >= 400 ? ' by the platform' : ''}` : `${status} ${code}`
}

/** Sends fuzzed requests to a running app. */
export async function fuzz(app: RunningApp, count: number, seed: string): Promise<FuzzResult> {
  const next = createFuzz(seed)
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce })
  const outcomes: Record<string, number> = {}
  const faults: string[] = []
  const startedAt = performance.now()
  let sent = 0

  const sendOn = async (): Promise<void> => {
    while (sent < count) {
      const number = ++sent
      const fuzzed = next()
      const reply = await send(app.url, agent, fuzzed)
      const outcome = outcomeOf(reply)
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
      const fault = faultOf(fuzzed, reply)
      if (fault !== undefined) faults.push(`${number} ${fuzzed.method} ${fuzzed.path.slice(0, 200)}: ${fault}`)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, sendOn))
  agent.destroy()
  const seconds = (performance.now() - startedAt) / 1000
  return { requests: count, seconds, outcomes, faults, peakMebibytes: await peakMebibytes(app) }
}

export async function peakMebibytes({ host }: RunningApp): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined
  const status = await readFile(`/proc/${host.process.pid}/status`, 'utf8')
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024)
}
