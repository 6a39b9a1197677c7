import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { root } from '../../../local/build/bundle.ts'
import { refuse } from '../../../local/simulator/failure-cases.ts'
import { type RunningApp, startApp } from '../../support/running-app.ts'

const key = 'a-key-of-this-test'
let app: RunningApp

beforeAll(async () => {
  app = await startApp({ storage: inject('storage'), settings: { LOCAL_FUNCTION_KEY: key } })
})
afterAll(() => app.stop())

type Outcome = { code: number; lines: string[] }

/** Runs the script of `npm run smoke` with these arguments and an empty environment. */
const smoke = (...args: string[]): Promise<Outcome> =>
  new Promise(resolve => {
    const env = { PATH: process.env.PATH }
    execFile(process.execPath, [`${root}local/run.js`, 'smoke', ...args], { env }, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code)
      resolve({ code, lines: `${stdout}${stderr}`.trimEnd().split('\n') })
    })
  })

const failed = ({ lines }: Outcome): string[] => lines.filter(line => !line.startsWith('ok '))

describe('the smoke test', () => {
  test('the smoke test passes on a running app, with a line for each check', async () => {
    const outcome = await smoke(app.url, key)
    expect(failed(outcome)).toEqual([])
    expect(outcome.code).toBe(0)
    expect(outcome.lines.map(line => line.replace(/:.*/, ''))).toEqual([
      'ok    health',
      'ok    key',
      'ok    orders',
      'ok    bad request',
      'ok    unknown route',
      'ok    definition',
    ])
  })

  test('the smoke test fails with a wrong key, but passes the checks without a key', async () => {
    const outcome = await smoke(app.url, 'another-key')
    expect(outcome.code).toBe(1)
    expect(failed(outcome).map(line => line.replace(/:.*/, ''))).toEqual(['FAIL  orders', 'FAIL  bad request'])
  })

  test('the smoke test passes if the first customer has left', async () => {
    const list = await fetch(`${app.api}/customers?top=1`, { headers: { 'x-functions-key': key } })
    const { value } = (await list.json()) as { value: { customerTenantId: string }[] }
    const id = value[0]?.customerTenantId ?? ''
    app.simulator.partnerCenter.faults.set(id, refuse(403, '20002', 'No relationship.'))
    try {
      const outcome = await smoke(app.url, key)
      expect(outcome.code).toBe(0)
      expect(outcome.lines).toContain('ok    orders: refused: the first customer has left')
    } finally {
      app.simulator.partnerCenter.faults.delete(id)
    }
  })

  test('the smoke test fails on an app that cannot reach Partner Center', async () => {
    app.simulator.partnerCenter.outage = refuse(403, '900421', 'MFA required.')
    try {
      const outcome = await smoke(app.url, key)
      expect(outcome.code).toBe(1)
      expect(failed(outcome).map(line => line.replace(/:.*/, ''))).toEqual(['FAIL  orders'])
    } finally {
      app.simulator.partnerCenter.outage = undefined
    }
  })

  test('the smoke test distinguishes an app without a credential from a broken one', async () => {
    const fresh = await startApp({
      storage: inject('storage'),
      settings: { LOCAL_FUNCTION_KEY: key },
      prepare: ({ keyVault }) => keyVault.secrets.clear(),
    })
    try {
      const outcome = await smoke(fresh.url, key)
      expect(failed(outcome)).toEqual([
        expect.stringMatching(/^WAIT {2}orders: reached, credential missing: .*partner-center-client-secret/),
      ])
      expect(outcome.code).toBe(2)

      const broken = await smoke(fresh.url, 'another-key')
      expect(failed(broken).map(line => line.replace(/:.*/, ''))).toEqual(['FAIL  orders', 'FAIL  bad request'])
      expect(broken.code).toBe(1)
    } finally {
      await fresh.stop()
    }
  })

  test('the smoke test fails every check on another server', async () => {
    const server = createServer((_, response) => response.end('<html>It works</html>'))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    try {
      const outcome = await smoke(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, key)
      expect(outcome.code).toBe(1)
      expect(failed(outcome)).toHaveLength(6)
    } finally {
      server.close()
    }
  })

  test('the smoke test requires an address', async () => {
    expect(await smoke()).toEqual({ code: 1, lines: [expect.stringContaining('npm run smoke -- https://')] })
  })
})
