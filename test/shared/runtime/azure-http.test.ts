import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { createPipelineRequest } from '@azure/core-rest-pipeline'
import { afterEach, expect, test } from 'vitest'
import { createAzureHttpClient } from '../../../shared/runtime/azure-http.ts'

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const request = (url: string, streamed = false) =>
  createPipelineRequest({
    url,
    allowInsecureConnection: true,
    ...(streamed ? { streamResponseStatusCodes: new Set([200]) } : {}),
  })

const mebibyte = 1024 * 1024
const spaces = (mebibytes: number) => Buffer.alloc(mebibytes * mebibyte, ' ')

test('a response as long as a page of a blob list is passed on', async () => {
  const url = await serve((_, response) => response.end(spaces(20)))
  const { bodyAsText } = await (await createAzureHttpClient()).sendRequest(request(url))
  expect(bodyAsText?.length).toBe(20 * mebibyte)
})

/** The same 16 MiB again and again, in few bytes. */
const bomb = Buffer.concat(Array<Buffer>(32).fill(gzipSync(spaces(16))))

test.each<[string, boolean, RequestListener]>([
  ['text', false, (_, response) => response.end(spaces(40))],
  ['text from few bytes', false, (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)],
  ['a stream from few bytes', true, (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)],
])('%s that is too long is an unusable response, which no SDK repeats', async (_, streamed, listener) => {
  const url = await serve(listener)
  const reading = (await createAzureHttpClient()).sendRequest(request(url, streamed)).then(async response => {
    let bytes = 0
    for await (const chunk of response.readableStreamBody ?? []) bytes += chunk.length
    return bytes
  })
  const error: unknown = await reading.then(
    bytes => bytes,
    error => error as unknown,
  )
  expect(error).toBeInstanceOf(Error)
  if (!streamed) expect(error).toMatchObject({ code: 'PARSE_ERROR' })
})
