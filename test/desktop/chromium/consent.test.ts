import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Simulator, startSimulator } from '../../../local/simulator/simulator.ts'
import { startBrowser } from '../../support/browser.ts'
import { startConsent } from '../../support/consent.ts'

let simulator: Simulator

beforeAll(async () => {
  simulator = await startSimulator({ customers: 1 })
})
afterAll(() => simulator.stop())

test('a user signs in with a browser and sees that it worked', async () => {
  const { signInUrl, ended } = await startConsent(simulator)
  const browser = await startBrowser()
  try {
    const page = await browser.newPage({ ignoreHTTPSErrors: true })
    await page.goto(signInUrl)
    await page.getByRole('button', { name: 'Sign in as the service account' }).click()
    await page.getByRole('heading', { name: 'Signed in' }).waitFor()
    expect(new URL(page.url()).hostname).toBe('localhost')
  } finally {
    await browser.close()
  }
  expect(await ended).toBe(0)
  expect(simulator.keyVault.secrets.get('partner-center-refresh-token')).toHaveLength(1)
})
