import { expect, test } from 'vitest'
import { startAzurite } from '../../local/processes/azurite.ts'
import { startApp } from '../support/running-app.ts'
import { recordFigures, tenth } from './figures.ts'
import { fuzz } from './fuzz.ts'

const requests = 100_000
const heapMebibytes = 256

test('100,000 fuzzed requests get responses of the documented form and no 5xx, in bounded memory', {
  timeout: 1_800_000,
}, async () => {
  const azurite = await startAzurite()
  const app = await startApp({
    storage: azurite.connectionString,
    simulator: { customers: 3, ordersEach: 2 },
    settings: {
      PARTNER_CENTER_REQUESTS_PER_MINUTE: '60000',
      // What piles up ends the host.
      NODE_OPTIONS: `--max-old-space-size=${heapMebibytes}`,
    },
  })
  try {
    const seed = process.env.FUZZ_SEED ?? String(Date.now())
    const { faults, seconds, outcomes, peakMebibytes } = await fuzz(app, requests, seed)
    expect(faults.slice(0, 10), `FUZZ_SEED=${seed}`).toEqual([])
    expect(peakMebibytes ?? 0).toBeLessThan(512)
    recordFigures('fuzz', { requests, seconds: tenth(seconds), outcomes, peakMebibytes })
  } finally {
    await app.stop()
    await azurite.stop()
  }
})
