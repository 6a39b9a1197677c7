import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import {
  AccountSASPermissions,
  AccountSASResourceTypes,
  AccountSASServices,
  BlobServiceClient,
  generateAccountSASQueryParameters,
  type StorageSharedKeyCredential,
} from '@azure/storage-blob'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root } from '../../local/build/bundle.ts'
import { type Azurite, startAzurite } from '../../local/processes/azurite.ts'
import { EndedEarly, runNode } from '../../local/processes/run-node.ts'
import { refuse } from '../../local/simulator/failure-cases.ts'
import { documentedCustomerId } from '../../local/simulator/sample-data.ts'
import { type Simulator, startSimulator } from '../../local/simulator/simulator.ts'
import { createCertificate } from '../support/certificates.ts'
import { type FaultyServer, startFaultyServer } from '../support/faulty-server.ts'
import { listeningUrl, startHostProcess } from '../support/running-app.ts'
import { secretsIn } from '../support/secret-watch.ts'

/**
 * Every secret that the app can come across is planted with a value of its own. Then everything that leaves the app is
 * searched for each: log lines, responses with their headers, blobs, queue messages and what commands print.
 */
const canary = (name: string): string => `canary${name}${randomUUID().replaceAll('-', '')}`

const secrets = new Map<string, string>()
/** What left the app, by where it was seen. */
const outputs: { where: string; text: string }[] = []
const plant = (name: string, value: string): string => {
  secrets.set(name, value)
  return value
}
const keep = (where: string, text: string): void => void outputs.push({ where, text })

let azurite: Azurite
let simulator: Simulator
let storage: FaultyServer[] = []
let folder: string
let settings: Record<string, string>
let tokens = 0

beforeAll(async () => {
  azurite = await startAzurite()
  simulator = await startSimulator({ customers: 5, ordersEach: 2 })
  folder = await mkdtemp(join(tmpdir(), 'canaries-'))
  const certificates = join(folder, 'simulator.pem')
  await writeFile(certificates, simulator.certificate)

  const { entra, keyVault } = simulator
  // As Entra ID's: a JSON web token.
  entra.issue = token => {
    const value = plant(`access token ${++tokens}`, `eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.${canary('Token')}.sig`)
    entra.tokens.set(value, token)
    return value
  }
  const { issueRefreshToken } = entra
  entra.issueRefreshToken = more => plant(`refresh token ${randomUUID()}`, issueRefreshToken(more))
  const clientSecret = plant('client secret', `${canary('Client')}~.Q`)
  entra.clientSecrets = new Set([clientSecret])
  keyVault.store('partner-center-client-secret', clientSecret)
  keyVault.store('unused', plant('another secret of the vault', canary('Vault')))
  const { pem, certificate, key } = await createCertificate()
  entra.certificates.add(certificate)
  keyVault.store('partner-center-client-certificate', pem, { contentType: 'application/x-pem-file' })
  plant('private key', key.split('\n')[3] ?? '')
  keyVault.store('partner-center-refresh-token', entra.issueRefreshToken())
  plant('identity header', entra.identityHeader)

  // What the app writes to storage is seen on the way.
  const seen = (service: string) => (url: string, body: Buffer) => keep(`${service} ${url}`, readable(body))
  const origin = (service: string) =>
    new URL(new RegExp(`${service}Endpoint=([^;]+)`).exec(azurite.connectionString)?.[1] ?? '').origin
  const blobs = await startFaultyServer(origin('Blob'), undefined, seen('blob'))
  const queues = await startFaultyServer(origin('Queue'), undefined, seen('message'))
  storage = [blobs, queues]
  const connection = azurite.connectionString.replace(origin('Blob'), blobs.url).replace(origin('Queue'), queues.url)
  plant('storage key', /AccountKey=([^;]+)/.exec(connection)?.[1] ?? '')
  const service = BlobServiceClient.fromConnectionString(connection)
  const access = generateAccountSASQueryParameters(
    {
      services: AccountSASServices.parse('b').toString(),
      resourceTypes: AccountSASResourceTypes.parse('sco').toString(),
      permissions: AccountSASPermissions.parse('rwdlac'),
      expiresOn: new Date(Date.now() + 3_600_000),
    },
    service.credential as StorageSharedKeyCredential,
  ).toString()
  plant('signature of a storage link', new URLSearchParams(access).get('sig') ?? '')
  settings = {
    ...simulator.settings,
    NODE_EXTRA_CA_CERTS: certificates,
    AzureWebJobsStorage: connection,
    SnapshotStorage: `BlobEndpoint=${service.url.replace(/\/$/, '')};SharedAccessSignature=${access}`,
    PARTNER_CENTER_REQUESTS_PER_MINUTE: '60000',
    REQUEST_DEADLINE_SECONDS: '10',
    LOCAL_FUNCTION_KEY: plant('function key', canary('Function')),
    LOCAL_MASTER_KEY: plant('master key', canary('Master')),
  }
})
afterAll(async () => {
  await Promise.all([...storage.map(server => server.stop()), simulator.stop(), rm(folder, { recursive: true })])
  await azurite.stop()
})

function readable(body: Buffer): string {
  if (body[0] === 0x1f && body[1] === 0x8b) return gunzipSync(body).toString('utf8')
  const text = body.toString('utf8')
  const message = /<MessageText>([^<]*)<\/MessageText>/.exec(text)?.[1]
  return message === undefined ? text : `MessageText ${Buffer.from(message, 'base64').toString('utf8')}`
}

/** A text in the forms in which it may be written into another. */
const formsOf = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret),
  JSON.stringify(secret).slice(1, -1),
  Buffer.from(secret).toString('base64').replace(/=+$/, '').slice(0, -1),
  Buffer.from(secret).toString('hex'),
]

/** Where a secret was seen; the secret itself is not named, so that a failure does not print it. */
const leaks = (): string[] =>
  [...secrets].flatMap(([name, secret]) =>
    outputs.flatMap(({ where, text }) =>
      formsOf(secret).some(form => text.includes(form)) ? [`${name} in ${where.replaceAll(secret, '…')}`] : [],
    ),
  )

/** Runs the host on these settings and lets `use` send requests; keeps what comes back and what it prints. */
async function withHost(
  more: Record<string, string>,
  use: (send: (path: string, init?: RequestInit) => Promise<Response>, url: string) => Promise<void>,
): Promise<void> {
  const host = await startHostProcess({ ...settings, ...more })
  const url = listeningUrl(host)
  const key = { 'x-functions-key': settings.LOCAL_FUNCTION_KEY ?? '' }
  try {
    await use(async (path, init = {}) => {
      const response = await fetch(`${url}/${path}`, { ...init, headers: { ...key, ...init.headers } })
      const text = await response.clone().text()
      keep(`response of ${path}`, `${response.status} ${JSON.stringify([...response.headers])} ${text}`)
      return response
    }, url)
  } finally {
    await host.stop()
    for (const line of host.lines) keep('log', line)
  }
}

const orders = `api/customers/${documentedCustomerId}/orders`

/** Runs a command to its end and keeps what it prints. */
async function command(args: string[], env: Record<string, string | undefined>): Promise<string> {
  const ended = await runNode([`${root}local/run.js`, ...args], () => false, {
    env: { PATH: process.env.PATH, ...env },
  })
    .then(() => [] as readonly string[])
    .catch(error => (error instanceof EndedEarly ? error.lines : [String(error)]))
  for (const line of ended) keep(`npm run ${args[0]}`, line)
  return ended.join('\n')
}

test('no planted secret leaves the app', { timeout: 120_000 }, async () => {
  const { entra, keyVault, partnerCenter } = simulator

  await withHost({}, async (send, url) => {
    expect((await send(orders)).status).toBe(200)
    const page = await send(
      `api/customers/${documentedCustomerId}/order-lines?top=1&code=${settings.LOCAL_FUNCTION_KEY}`,
    )
    expect(await page.json()).toHaveProperty('nextLink')
    for (const path of ['api/customers?top=1', 'api/order-changes', 'api/health/details', 'api/openapi.json']) {
      expect((await send(path)).status).toBe(200)
    }
    expect((await fetch(`${url}/${orders}`, { headers: { 'x-functions-key': 'wrong' } })).status).toBe(401)
    const started = await send('api/snapshots', { method: 'POST' })
    expect(started.status).toBe(202)
    const location = new URL(started.headers.get('location') ?? '').pathname.slice(1)
    while ((await send(location)).status === 202) await new Promise(resolve => setTimeout(resolve, 100))
    for (const path of [`${orders}?asOf=2099-01-01`, 'api/order-lines?top=5', 'api/snapshots']) {
      expect((await send(path)).status, path).toBe(200)
    }
    await send('admin/functions/renew-credential', {
      method: 'POST',
      headers: { 'x-functions-key': settings.LOCAL_MASTER_KEY ?? '' },
    })

    // What services are not known to do, but a proxy might: they send back what they were sent.
    partnerCenter.outage = ({ request, response }) => {
      const description = JSON.stringify({ ...request.headers, url: `https://x/?code=${settings.LOCAL_FUNCTION_KEY}` })
      refuse(403, '900308', description, { 'x-echo': 'echo' })({ request, response }, () => undefined)
    }
    expect((await send(orders)).status).toBe(403)
    partnerCenter.outage = undefined
    const [blobs] = storage
    await blobs?.setFault('refused')
    expect((await send('api/snapshots')).status).toBe(503)
    await blobs?.setFault(({ outgoing, url }) => void outgoing.writeHead(403, { 'x-ms-error-code': url }).end(url))
    expect((await send('api/snapshots')).status).toBe(500)
    await blobs?.setFault(undefined)
  })

  // Refusals that name the credential, on workers that have none yet.
  await withHost({}, async send => {
    keyVault.failures = [{ status: 403, code: 'Forbidden', innerCode: 'ForbiddenByPolicy' }]
    expect((await send(orders)).status).toBe(424)
    const [, secret] = [...secrets].find(([name]) => name === 'client secret') ?? []
    entra.failures = Array.from({ length: 4 }, () => ({
      status: 401,
      body: {
        error: 'invalid_client',
        error_codes: [7000215],
        error_description: `AADSTS7000215: Invalid client secret provided: client_secret=${secret}`,
      },
    }))
    expect((await send(orders)).status).toBe(424)
    entra.failures = []
  })
  await withHost({ PARTNER_CENTER_CREDENTIAL: 'certificate' }, async send => {
    expect((await send(orders)).status).toBe(200)
  })
  await withHost({ PARTNER_CENTER_CREDENTIAL: 'refresh-token' }, async send => {
    expect((await send(orders)).status).toBe(200)
    const versions = () => keyVault.secrets.get('partner-center-refresh-token')?.length
    await send('admin/functions/renew-credential', {
      method: 'POST',
      headers: { 'x-functions-key': settings.LOCAL_MASTER_KEY ?? '' },
    })
    await expect.poll(versions).toBe(2)
  })

  // Settings that are malformed around a secret, and commands that fail.
  const broken = { ...settings, PORT: '0', AzureWebJobsStorage: `${settings.AzureWebJobsStorage};AccountKey` }
  expect(await command(['host'], broken)).toContain('AzureWebJobsStorage')
  const nowhere = ['snapshot', 'http://127.0.0.1:9', settings.LOCAL_FUNCTION_KEY ?? '']
  expect(await command(nowhere, {})).toContain('does not respond')
  expect(await command(['smoke', 'http://127.0.0.1:9', settings.LOCAL_FUNCTION_KEY ?? ''], {})).not.toBe('')
  keyVault.failures = Array.from({ length: 9 }, () => ({ status: 403, code: 'Forbidden' }))
  expect(await command(['consent'], { ...settings, CONSENT_PORT: '0' })).not.toBe('')

  // The secrets were in use, and the search sees what there is to see.
  expect(secrets.size).toBeGreaterThan(10)
  expect(outputs.filter(({ where }) => where.startsWith('blob')).length).toBeGreaterThan(10)
  expect(outputs.some(({ where, text }) => where.startsWith('message') && text.includes('MessageText'))).toBe(true)
  expect(entra.forms.map(({ form }) => form.get('client_secret'))).toContain(secrets.get('client secret'))
  expect(leaks()).toEqual([])
})

test.each([
  ['a client secret', 'secret simulated-client-secret~for.this-machine'],
  ['an access token', `Bearer simulated-${randomUUID()}`],
  ['a refresh token', `1.A${'x'.repeat(60)}`],
  ['a private key', '-----BEGIN PRIVATE KEY-----'],
  ['a signature of a storage link', 'https://a.blob/c?sv=1&sig=abc'],
])('the search of every host’s output finds %s', (name, line) => {
  expect(secretsIn(line)).toEqual([name])
})
