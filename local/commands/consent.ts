import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { type App, createApp } from '../../shared/app.ts'
import { AppError, isAppError } from '../../shared/errors.ts'
import { systemClock } from '../../shared/runtime/clock.ts'
import { createLog, describeError } from '../../shared/runtime/log.ts'
import { type OperationContext, timeLimit, withDeadline } from '../../shared/runtime/operation.ts'
import { environment } from '../../shared/settings.ts'
import { loadLocalSettings } from '../host/local-settings.ts'
import { CommandError } from '../processes/command-error.ts'
import { explainListening, readPort } from '../processes/port.ts'
import { printWarnings } from '../processes/warnings.ts'
import { dataFolder, requireRunning } from '../start/data-folder.ts'

/** The minutes that the user has to sign in. */
const maxWaitMinutes = 10

const page = (title: string, text: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<style>body{font:16px/1.5 system-ui;max-width:34rem;margin:4rem auto;padding:0 1rem}</style></head>
<body><h1>${title}</h1><p>${text}</p></body></html>`

/** Compares digests, because `timingSafeEqual` needs buffers of equal length. */
const isEqual = (a: string, b: string): boolean =>
  timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'))

/**
 * Waits for the one redirect of the sign-in. A redirect with another state is refused and changes nothing. The right
 * one is accepted once.
 */
function takeRedirect(state: string, signal: AbortSignal) {
  const server = createServer()
  const code = new Promise<string>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      // Any page in a browser can send a request here. A malformed target is therefore refused like a wrong state.
      const query = URL.parse(request.url ?? '/', 'http://localhost')?.searchParams ?? new URLSearchParams()
      const show = (status: number, title: string, text: string) =>
        response
          .writeHead(status, { 'content-type': 'text/html; charset=utf-8', connection: 'close' })
          .end(page(title, text))
      if (!isEqual(query.get('state') ?? '', state)) {
        return show(400, 'Not the sign-in that was started', 'Use the link that the command printed, and use it once.')
      }
      state = randomBytes(32).toString('base64url')
      const given = query.get('code')
      if (given === null) {
        show(400, 'The sign-in did not succeed', 'Nothing was stored. Run the command again.')
        const [reason] = /AADSTS\d+/.exec(query.get('error_description') ?? '') ?? [query.get('error') ?? 'no code']
        return reject(
          new AppError(
            'credential_rejected',
            `The sign-in did not succeed (${reason.replace(/\W/g, ' ').slice(0, 60)}). Nothing was stored.`,
          ),
        )
      }
      show(200, 'Signed in', 'You can close this page. The command stores the sign-in in Key Vault and says so.')
      resolve(given)
    })
  })
  return { server, code }
}

/**
 * With `--local`: the settings of the `npm start` that runs on this machine. Its sign-in page uses plain HTTP, which a
 * browser opens without a warning.
 */
async function useSimulator(): Promise<(signInUrl: string) => string> {
  const { settings, plainUrl, certificateFile } = await requireRunning(dataFolder(environment()))
  setDefaultCACertificates([...getCACertificates('default'), await readFile(certificateFile, 'utf8')])
  Object.assign(process.env, settings)
  return signInUrl => signInUrl.replace(new URL(signInUrl).origin, plainUrl)
}

async function consent(operation: OperationContext): Promise<void> {
  const [option, ...others] = process.argv.slice(2)
  if ((option !== undefined && option !== '--local') || others.length > 0) {
    throw new CommandError('These options are not known. Use: npm run consent, or npm run consent -- --local')
  }
  const toShown = option === '--local' ? await useSimulator() : (signInUrl: string) => signInUrl
  await loadLocalSettings()
  // Signing in does not use the host's storage.
  const app = createApp({
    env: {
      AzureWebJobsStorage: 'UseDevelopmentStorage=true',
      ...environment(),
      PARTNER_CENTER_CREDENTIAL: 'refresh-token',
    },
  })
  const settings = await app.settings()
  const port = readPort(environment().CONSENT_PORT, 'CONSENT_PORT', 8400)

  const state = randomBytes(32).toString('base64url')
  const { server, code } = takeRedirect(state, operation.deadline.signal)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening').catch(error => {
    throw explainListening(error, port, 'CONSENT_PORT')
  })
  const redirectUri = `http://localhost:${(server.address() as AddressInfo).port}`
  try {
    const { startSignIn } = await app.readers()
    const signIn = await startSignIn(redirectUri, state, operation)
    console.log(`This signs a user in to Partner Center once and stores the sign-in (a refresh token) in Key Vault.

  tenant        ${settings.partnerTenantId} (${settings.cloud})
  app           ${settings.clientId}
  stored in     ${settings.keyVaultUri} as secret '${settings.secretNames.refreshToken}'
  redirect      ${redirectUri} (register http://localhost as a web redirect URI of the app)

Who should sign in: a service account of its own in the partner tenant, admin agent or sales agent, with multi-factor
authentication. Its sign-in is what the app acts with from then on. You yourself need the role Key Vault Secrets Officer.

Open this address in a browser on this machine, within ${maxWaitMinutes} minutes:

  ${toShown(signIn.url)}
`)
    await signIn.redeem(await code, operation)
    console.log('The sign-in is stored. renew-credential keeps it alive from here on.')
    await check(app, operation)
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

/** Calls Partner Center with the stored sign-in. The response says whether the sign-in used MFA. */
async function check(app: App, operation: OperationContext): Promise<void> {
  const { reachability, credentialHealth } = await app.readers()
  const { error } = await reachability(operation)
  const { mfaCompliant } = await credentialHealth(operation)
  if (error === undefined) console.log('Partner Center accepts it.')
  else console.log(`Warning: ${error.message}`)
  if (mfaCompliant === false)
    console.log('Warning: it lacks multi-factor authentication. Run this again and sign in with MFA.')
}

printWarnings()
try {
  await withDeadline(systemClock, timeLimit(systemClock, maxWaitMinutes * 60), deadline =>
    consent({
      correlationId: 'consent',
      deadline,
      log: createLog({ ...console, warn: () => undefined, info: () => undefined, debug: () => undefined }),
    }),
  )
} catch (error) {
  if (isAppError(error) || error instanceof CommandError) throw error
  // The error of a library can contain the values that it was given.
  console.error(describeError(error))
  process.exitCode = 1
}
