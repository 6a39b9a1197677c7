import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, inject, test } from 'vitest'
import { hang } from '../../local/simulator/failure-cases.ts'
import { documentedCustomerId } from '../../local/simulator/sample-data.ts'
import { startApp } from '../support/running-app.ts'
import { recordFigures, tenth } from './figures.ts'
import { peakMebibytes } from './fuzz.ts'

const deadlineSeconds = 5
const heapMebibytes = 256
/** `maxOutstandingRequests` of host.json. */
const taken = 1000
/** Requests that come at once, again and again. */
const wave = 1300
const waves = 6

type Reply = { status: number; code: string; ms: number }

test(`an overload of ${wave} requests at once, with a Partner Center that is silent, is refused instead of piling up`, async () => {
  const app = await startApp({
    storage: inject('storage'),
    settings: {
      REQUEST_DEADLINE_SECONDS: String(deadlineSeconds),
      // What piles up ends the host.
      NODE_OPTIONS: `--max-old-space-size=${heapMebibytes}`,
    },
  })
  const agent = new Agent({ keepAlive: true })
  const read = (customer: string): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const startedAt = performance.now()
      request(`${app.api}/customers/${customer}/orders`, { agent }, async response => {
        const code = /"code":"(\w+)"/.exec(await text(response))?.[1] ?? ''
        resolve({ status: response.statusCode ?? 0, code, ms: performance.now() - startedAt })
      })
        .on('error', reject)
        .end()
    })

  try {
    expect((await read(documentedCustomerId)).status).toBe(200)
    app.simulator.partnerCenter.outage = hang
    const replies: Reply[] = []
    for (let count = 0; count < waves; count++) {
      // Each for a customer of its own, so that no two share a call.
      replies.push(...(await Promise.all(Array.from({ length: wave }, () => read(randomUUID())))))
    }
    app.simulator.partnerCenter.outage = undefined
    const after = await read(documentedCustomerId)

    const refused = replies.filter(({ status }) => status === 429)
    const failed = replies.filter(({ status }) => status === 503)
    expect(refused.length + failed.length).toBe(replies.length)
    expect(failed.length).toBe(taken * waves)
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['']))
    expect(new Set(failed.map(({ code }) => code))).toEqual(new Set(['deadline_exceeded']))
    const slowest = Math.max(...replies.map(({ ms }) => ms))
    expect(slowest).toBeLessThan((deadlineSeconds + 3) * 1000)
    const peak = await peakMebibytes(app)
    expect(peak ?? 0).toBeLessThan(512)
    expect([after.status, after.ms < 2000]).toEqual([200, true])
    recordFigures('load', {
      sent: replies.length,
      refused: refused.length,
      failed: failed.length,
      slowestSeconds: tenth(slowest / 1000),
      peakMebibytes: peak,
      afterwardsMs: Math.round(after.ms),
    })
  } finally {
    agent.destroy()
    await app.stop()
  }
})
