import { HttpRequest } from '@azure/functions'
import { expect, test, vi } from 'vitest'
import { appAddress } from '../../../shared/http/paging/links.ts'
import * as document from '../../../shared/openapi/document.ts'
import { documentFor } from '../../../shared/openapi/served-document.ts'

type Served = { host: string; schemes: string[]; paths: object }

const serve = (url: string) => JSON.parse(documentFor(appAddress(new HttpRequest({ method: 'GET', url })))) as Served

test('the document is created once for any number of hosts, and has the host of each request', () => {
  const make = vi.spyOn(document, 'createDocument')
  const hosts = Array.from({ length: 50 }, (_, index) => `forged-${index}.example`)
  for (const host of [...hosts, ...hosts]) expect(serve(`https://${host}/api/openapi.json`).host).toBe(host)
  expect(make.mock.calls.length).toBeLessThanOrEqual(1)
})

test.each([
  ['http://127.0.0.1:7071/api/openapi.json', 'http', '127.0.0.1:7071'],
  ['http://localhost:7071/api/openapi.json', 'http', 'localhost:7071'],
  ['https://localhost/api/openapi.json', 'https', 'localhost'],
  ['http://your-app.azurewebsites.net/api/openapi.json', 'https', 'your-app.azurewebsites.net'],
  ['https://your-app.azurewebsites.net/api/openapi.json', 'https', 'your-app.azurewebsites.net'],
])('the document on %s has %s', (url, scheme, host) => {
  const { schemes, host: named } = serve(url)
  expect([schemes, named]).toEqual([[scheme], host])
})
