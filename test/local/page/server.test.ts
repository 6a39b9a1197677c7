import { request as send } from 'node:http'
import { gzipSync } from 'node:zlib'
import { BlobServiceClient } from '@azure/storage-blob'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { createListedCases } from '../../../local/simulator/listed-cases.ts'
import { createLiveOrders } from '../../../local/simulator/live-orders.ts'
import { type Simulator, startSimulator } from '../../../local/simulator/simulator.ts'
import { startPage } from '../../../local/start/page.ts'

const container = `page-${process.pid}`
let simulator: Simulator
let page: Awaited<ReturnType<typeof startPage>>

beforeAll(async () => {
  simulator = await startSimulator({ customers: 3 })
  const client = BlobServiceClient.fromConnectionString(inject('storage')).getContainerClient(container)
  await client.create()
  await client.getBlockBlobClient('a/part.ndjson.gz').uploadData(gzipSync('{"é":1}\n'))
  await client.getBlockBlobClient('a/_report.html').uploadData(Buffer.from('<h1>Report</h1>'))
  const { customers } = simulator.partnerCenter
  page = await startPage({
    services: () => [{ name: 'functions host', value: 'here' }],
    storage: inject('storage'),
    container,
    cases: createListedCases(simulator.partnerCenter, []),
    orders: createLiveOrders({ customers: [...customers], everySeconds: 20 }),
  })
})
afterAll(async () => {
  await page.stop()
  await simulator.stop()
})

/** Sends a request with headers that `fetch` would refuse. */
const raw = (path: string, headers: Record<string, string> = {}, method = 'GET', body = '') =>
  new Promise<{ status: number; text: string }>((resolve, reject) => {
    const { port } = new URL(page.url)
    send({ port, host: '127.0.0.1', path, method, headers }, async response => {
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(await response.toArray()).toString() })
    })
      .on('error', reject)
      .end(body)
  })

describe('the page', () => {
  test('the page and its files are served from this machine, and its policy allows no other origin', async () => {
    const pending = ['/', '/reference']
    const seen = new Set<string>()
    for (let path = pending.shift(); path !== undefined; path = pending.shift()) {
      if (seen.has(path)) continue
      seen.add(path)
      const response = await fetch(page.url + path)
      expect(response.status, path).toBe(200)
      expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/)
      const text = await response.text()
      if (path.startsWith('/page/viewer/')) continue
      const links = [...text.matchAll(/(?:href|src)="([^"]+)"/g), ...text.matchAll(/from '\.(\/[^']+)'/g)]
      const found = links.map(([, link = '']) =>
        link.startsWith('/page') || link === '/reference' ? link : `/page${link}`,
      )
      pending.push(...found.filter(link => /\.(js|css|svg)$/.test(link)))
    }
    expect([...seen]).toEqual(expect.arrayContaining(['/page/snapshot.js', '/page/viewer/swagger-ui-bundle.js']))
  })

  test('the page server serves no other file', async () => {
    for (const path of [
      '/package.json',
      '/page/../server.ts',
      '/page/%2e%2e/server.ts',
      '/page/viewer/package.json',
      '/local',
    ]) {
      expect(await raw(path), path).toEqual({ status: 404, text: '' })
    }
  })

  test('the page server refuses other host names', async () => {
    expect((await raw('/local/state', { host: 'evil.example' })).status).toBe(403)
    expect((await raw('/local/state', { host: 'localhost:7071' })).status).toBe(200)
    const press = (origin: string) => raw('/local/orders', { host: 'localhost:7071', origin }, 'POST', '{"isOn":false}')
    expect((await press('http://evil.example')).status).toBe(403)
    expect((await press('http://localhost:7071')).status).toBe(200)
  })
})

describe('the switches of the page', () => {
  test('the switches of the page change orders and the list of customers', async () => {
    const post = async (path: string, body: unknown) =>
      (await fetch(page.url + path, { method: 'POST', body: JSON.stringify(body) })).json() as Promise<{
        orders: { isOn: boolean; count: number; newest: unknown[] }
        cases: { digits: number; isListed: boolean }[]
      }>
    expect((await post('/local/orders', { isOn: true })).orders.isOn).toBe(true)
    expect((await post('/local/orders', { isOn: false })).orders).toMatchObject({ isOn: false, count: 0 })
    expect((await post('/local/orders/change', {})).orders).toMatchObject({ count: 1, newest: [expect.anything()] })
    const { cases } = await post('/local/cases', { digits: 503, isListed: true })
    expect(cases.find(({ digits }) => digits === 503)?.isListed).toBe(true)
    expect(simulator.partnerCenter.customers).toHaveLength(4)
  })

  test('the switches of the page refuse unknown values', async () => {
    const status = async (path: string, body: string) => (await fetch(page.url + path, { method: 'POST', body })).status
    expect(await status('/local/cases', '{"digits":1,"isListed":true}')).toBe(404)
    expect(await status('/local/cases', '{"digits":"x"}')).toBe(400)
    expect(await status('/local/cases', '{')).toBe(400)
    expect(await status('/local/nothing', '{}')).toBe(404)
    expect((await fetch(`${page.url}/`, { method: 'DELETE' })).status).toBe(405)
  })
})

describe('files in storage', () => {
  test('files in storage are listed, and read as decompressed text', async () => {
    const files = (await (await fetch(`${page.url}/local/files?prefix=a/p`)).json()) as { name: string }[]
    expect(files.map(({ name }) => name)).toEqual(['a/part.ndjson.gz'])
    const part = await fetch(`${page.url}/local/files/a/part.ndjson.gz`)
    expect([part.headers.get('content-type'), await part.text()]).toEqual(['text/plain; charset=utf-8', '{"é":1}\n'])
    const report = await fetch(`${page.url}/local/files/a/_report.html`)
    expect(report.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(report.headers.get('content-security-policy')).toMatch(/^sandbox;/)
    expect((await fetch(`${page.url}/local/files/none`)).status).toBe(404)
  })
})
