import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Simulator, startSimulator } from '../../../local/simulator/simulator.ts'
import { clouds } from '../../../shared/clouds.ts'
import { startConsent } from '../../support/consent.ts'
import { trust } from '../../support/trust.ts'

let simulator: Simulator

beforeAll(async () => {
  simulator = await startSimulator({ customers: 1 })
  trust(simulator.certificate)
})
afterAll(() => simulator.stop())

const stored = () => simulator.keyVault.secrets.get('partner-center-refresh-token') ?? []

/** Acts like the browser when the user presses a button: posts the form, and gets the redirect to the command. */
async function press(signInUrl: string, choice: string, mfa = 'on'): Promise<string> {
  const body = new URLSearchParams([...new URL(signInUrl).searchParams, ['choice', choice], ['mfa', mfa]])
  const answer = await fetch(signInUrl, { method: 'POST', body, redirect: 'manual' })
  return answer.headers.get('location') ?? ''
}

/** The redirect names localhost. The command listens on the IPv4 address. */
const follow = (redirect: string) => fetch(redirect.replace('localhost', '127.0.0.1'))

describe.each(Object.entries(clouds))('consent in the cloud %s', (cloud, { audience }) => {
  test('the consent command requests the right scope with PKCE, stores the refresh token and never prints it', async () => {
    simulator.partnerCenter.audience = audience
    const before = stored().length
    const { running, signInUrl, ended } = await startConsent(simulator, { PARTNER_CENTER_CLOUD: cloud })
    const query = new URL(signInUrl).searchParams
    const redirect = await press(signInUrl, 'accept')
    const page = await follow(redirect)

    expect(await ended).toBe(0)
    expect(query.get('scope')?.split(' ')).toEqual(
      expect.arrayContaining([`${audience}/user_impersonation`, 'offline_access']),
    )
    expect(query.get('code_challenge_method')).toBe('S256')
    expect(query.get('state')?.length).toBeGreaterThan(40)
    expect(page.status).toBe(200)
    expect(stored()).toHaveLength(before + 1)
    const newest = stored().at(-1)
    expect(newest?.tags).toMatchObject({ source: 'consent' })
    expect((newest?.expires ?? 0) - Date.now() / 1000).toBeCloseTo(90 * 86_400, -2)
    const output = running.lines.join('\n')
    expect(output).toContain('The sign-in is stored')
    expect(output).toContain('Partner Center accepts it')
    expect(output).not.toContain(newest?.value)
  })
})

test('a redirect with another state is refused, and the right one is accepted once', async () => {
  const { signInUrl, ended } = await startConsent(simulator)
  const redirect = await press(signInUrl, 'accept')
  const forged = new URL(redirect)
  forged.searchParams.set('state', 'x'.repeat(43))
  const before = stored().length

  expect((await follow(forged.href)).status).toBe(400)
  expect(stored()).toHaveLength(before)
  const [first, second] = await Promise.all([follow(redirect), follow(redirect).catch(() => undefined)])
  expect([first.status, second?.status ?? 400].sort()).toEqual([200, 400])
  expect(await ended).toBe(0)
  expect(stored()).toHaveLength(before + 1)
})

test('a sign-in that the user cancels stores nothing and says why', async () => {
  const { running, signInUrl, ended } = await startConsent(simulator)
  const before = stored().length
  await follow(await press(signInUrl, 'cancel'))

  expect(await ended).toBe(1)
  expect(stored()).toHaveLength(before)
  expect(running.lines.join('\n')).toContain('AADSTS65004')
})

test('a sign-in without MFA is stored with a warning', async () => {
  simulator.partnerCenter.audience = clouds.global.audience
  const { running, signInUrl, ended } = await startConsent(simulator)
  await follow(await press(signInUrl, 'accept', 'off'))

  expect(await ended).toBe(0)
  expect(running.lines.join('\n')).toMatch(/Warning: .*multi-factor/)
})

test('a vault that refuses access is reported before the user signs in', async () => {
  simulator.keyVault.failures.push({ status: 403, code: 'Forbidden' })
  await expect(startConsent(simulator)).rejects.toThrow('Key Vault Secrets User')
})

test.each(['//', '/?state=%C3%A9', `/?state=${'é'.repeat(21)}x`, '/\\'])(
  'a request of another page for %s is refused and does not end the command',
  async target => {
    const { signInUrl, ended } = await startConsent(simulator)
    const redirect = await press(signInUrl, 'accept')
    expect(await statusOf(Number(new URL(redirect).port), target)).toBe(400)
    expect((await follow(redirect)).status).toBe(200)
    expect(await ended).toBe(0)
  },
)

/** The status of a request with an unchanged target, which fetch would normalize. */
const statusOf = (port: number, target: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(Buffer.from(`GET ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`, 'latin1'))
    })
    socket.once('data', data => {
      socket.destroy()
      resolve(Number(String(data).split(' ')[1]))
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('No response')))
  })
