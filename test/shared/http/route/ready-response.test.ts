import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HttpResponseInit } from '@azure/functions'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LoadedApp, loadApp, type RpcHttp } from '../../../../local/host/core.ts'
import { respond } from '../../../../shared/http/responses/response.ts'
import { withReadyResponse } from '../../../../shared/http/route/ready-response.ts'

let folder: string
let app: LoadedApp

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ready-'))
  const library = createRequire(import.meta.url).resolve('@azure/functions')
  const entry = join(folder, 'entry.cjs')
  await writeFile(
    entry,
    `const { app } = require(${JSON.stringify(library)})
     app.http('respond', { methods: ['GET'], handler: () => globalThis.responseOfTest })`,
  )
  app = await loadApp(entry, () => undefined)
})
afterAll(() => rm(folder, { recursive: true }))

/** The conversion of a function's response for the worker by the library itself. */
async function convert(response: HttpResponseInit): Promise<RpcHttp> {
  Object.assign(globalThis, { responseOfTest: response })
  const converted = await app.invoke('respond', { http: { method: 'GET', url: 'http://localhost/api/respond' } })
  return converted?.http ?? {}
}

const bytesOf = ({ body }: RpcHttp): Buffer => Buffer.from(body?.bytes ?? 'no bytes')

const responses: [string, () => HttpResponseInit][] = [
  ['bytes', () => respond(Buffer.from('{"é":1}'), { ifNoneMatch: null, headers: { 'x-orders-source': 'live' } })],
  ['bytes under another status', () => respond(Buffer.from('a;b'), { status: 202, contentType: 'text/csv' })],
  ['bytes with the status left out', () => ({ headers: { 'x-a': '1' }, body: Buffer.from('a') })],
  ['no bytes', () => respond(Buffer.alloc(0), { ifNoneMatch: null })],
  ['many bytes', () => respond(Buffer.alloc(3_000_001, 'ab'), { ifNoneMatch: null })],
  ['a part of larger bytes', () => respond(Buffer.from('[{"a":1}]').subarray(1, 8), { ifNoneMatch: null })],
  ['a text', () => respond('{"é":1}')],
  ['no body', () => respond(Buffer.from('a'), { ifNoneMatch: '*' })],
]

test.each(responses)('%s arrive at the worker as the library would convert them', async (_, make) => {
  const [usual, ready] = [await convert(make()), await convert(withReadyResponse(make()))]
  expect(bytesOf(ready).equals(bytesOf(usual))).toBe(true)
  expect({ ...ready, body: undefined }).toEqual({ ...usual, body: undefined })
})

test('the library uses the bytes without a copy', async () => {
  const body = Buffer.alloc(100_000, 'a')
  const { body: sent } = await convert(withReadyResponse(respond(body, { ifNoneMatch: null })))
  expect(sent?.bytes?.buffer).toBe(body.buffer)
})

test('a response is complete for a library that creates its own', () => {
  const response = respond(Buffer.from('a'), { ifNoneMatch: null })
  expect({ ...withReadyResponse({ ...response }) }).toEqual(response)
})
