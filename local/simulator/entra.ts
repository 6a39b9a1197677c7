import { createHash, randomUUID, verify, X509Certificate } from 'node:crypto'
import { type Exchange, sendJson } from './recorder.ts'
import { signInPage } from './sign-in-page.ts'

type IssuedToken = {
  audience: string
  expiresAt: number
  mfa: boolean
  kind: 'app' | 'user' | 'managed-identity'
}

type RefreshToken = { clientId: string; expiresAt: number; mfa: boolean; revoked: boolean }

/**
 * The sign-in page and token endpoint of Entra ID, and the managed-identity endpoint of the platform. Tests change its
 * state directly.
 */
export type Entra = {
  tenantId: string
  clientId: string
  /** The valid client secrets. */
  clientSecrets: Set<string>
  /** Registered certificates in PEM. */
  certificates: Set<string>
  /** True if the app trusts the managed identity as a federated credential. */
  trustsManagedIdentity: boolean
  /** Lifetime of an access token in seconds. */
  tokenSeconds: number
  tokens: Map<string, IssuedToken>
  refreshTokens: Map<string, RefreshToken>
  /** The header value that the managed-identity endpoint requires. */
  identityHeader: string
  /** If set, the next responses of the token endpoint, in turn, instead of the usual ones. */
  failures: { status: number; body?: unknown; headers?: Record<string, string> }[]
  /** The forms that were posted to the token endpoint, with their paths. */
  forms: { path: string; form: URLSearchParams }[]
  /** The queries of the managed-identity endpoint. */
  identityRequests: URLSearchParams[]
  serve: (exchange: Exchange) => boolean
  issue: (token: IssuedToken) => string
  /** Issues a refresh token as after a sign-in. */
  issueRefreshToken: (more?: Partial<RefreshToken>) => string
  /** Revokes all tokens of a kind. */
  revoke: (kind: IssuedToken['kind']) => void
}

const refreshTokenLifeMs = 90 * 86_400_000

export function entraError(error: string, code: number, text: string) {
  return {
    error,
    error_description: `AADSTS${code}: ${text} Trace ID: ${randomUUID()} Correlation ID: ${randomUUID()}`,
    error_codes: [code],
    timestamp: '2026-11-20 00:00:00Z',
    trace_id: randomUUID(),
    correlation_id: randomUUID(),
  }
}

type Code = { redirectUri: string; challenge: string | null; mfa: boolean }

export function createEntra(tenantId: string, clientId: string, clientSecret: string, now: () => number): Entra {
  const codes = new Map<string, Code>()

  const entra: Entra = {
    tenantId,
    clientId,
    clientSecrets: new Set([clientSecret]),
    certificates: new Set(),
    trustsManagedIdentity: true,
    tokenSeconds: 3599,
    tokens: new Map(),
    refreshTokens: new Map(),
    identityHeader: randomUUID(),
    failures: [],
    forms: [],
    identityRequests: [],
    issue(token) {
      const value = `simulated-${randomUUID()}`
      entra.tokens.set(value, token)
      return value
    },
    issueRefreshToken(more = {}) {
      const value = `1.A${Buffer.from(randomUUID() + randomUUID()).toString('base64url')}`
      entra.refreshTokens.set(value, {
        clientId,
        expiresAt: now() + refreshTokenLifeMs,
        mfa: true,
        revoked: false,
        ...more,
      })
      return value
    },
    revoke(kind) {
      for (const [value, token] of entra.tokens) if (token.kind === kind) entra.tokens.delete(value)
    },
    serve({ request, response }) {
      const [, tenant, v2, endpoint] = /^\/([\w.-]+)\/oauth2\/(?:(v2\.0)\/)?(token|authorize)$/.exec(request.path) ?? []
      if (endpoint === 'authorize') return authorize({ request, response })
      if (endpoint === 'token' && request.method === 'POST') {
        const form = new URLSearchParams(request.body)
        entra.forms.push({ path: request.path, form })
        const failure = entra.failures.shift()
        if (failure !== undefined) return sendJson(response, failure.status, failure.body ?? {}, failure.headers)
        const reply =
          tenant === entra.tenantId
            ? answerToken(form, v2 !== undefined)
            : entraError('invalid_request', 90002, `Tenant '${tenant}' not found.`)
        return sendJson(response, 'error' in reply ? (reply.error === 'invalid_client' ? 401 : 400) : 200, reply)
      }
      return request.path === '/msi/token' ? managedIdentity({ request, response }) : false
    },
  }

  function managedIdentity({ request, response }: Exchange): true {
    entra.identityRequests.push(request.query)
    if (request.headers['x-identity-header'] !== entra.identityHeader)
      return sendJson(response, 401, { error: 'unauthorized' })
    const audience = request.query.get('resource') ?? ''
    const expiresAt = Date.now() + entra.tokenSeconds * 1000
    return sendJson(response, 200, {
      access_token: entra.issue({ audience, expiresAt, mfa: false, kind: 'managed-identity' }),
      expires_on: String(Math.floor(expiresAt / 1000)),
      resource: audience,
      token_type: 'Bearer',
      client_id: request.query.get('client_id') ?? randomUUID(),
    })
  }

  function answerToken(form: URLSearchParams, isV2: boolean) {
    if (form.get('client_id') !== entra.clientId) {
      return entraError('unauthorized_client', 700016, 'Application was not found in the directory.')
    }
    const refusal = refuseClient(form)
    if (refusal !== undefined) return refusal
    const scope =
      form
        .get('scope')
        ?.split(' ')
        .find(each => each.includes('://')) ?? ''
    const audience = isV2 ? scope.replace(/\/[^/]+$/, '') : (form.get('resource') ?? '')
    const expires = isV2 ? entra.tokenSeconds : String(entra.tokenSeconds)
    const token = (kind: 'app' | 'user', mfa: boolean) => ({
      token_type: 'Bearer',
      scope,
      expires_in: expires,
      ext_expires_in: expires,
      access_token: entra.issue({ audience, expiresAt: now() + entra.tokenSeconds * 1000, mfa, kind }),
    })
    switch (form.get('grant_type')) {
      case 'client_credentials':
        return token('app', false)
      case 'refresh_token': {
        const stored = entra.refreshTokens.get(form.get('refresh_token') ?? '')
        if (stored === undefined)
          return entraError('invalid_grant', 70000, 'The refresh token is malformed or invalid.')
        if (stored.clientId !== clientId)
          return entraError('invalid_grant', 700007, 'The token was issued to another client.')
        if (stored.revoked)
          return entraError('invalid_grant', 50173, 'The provided grant has expired due to it being revoked.')
        if (stored.expiresAt <= now())
          return entraError('invalid_grant', 700082, 'The refresh token has expired due to inactivity.')
        return { ...token('user', stored.mfa), refresh_token: entra.issueRefreshToken({ mfa: stored.mfa }) }
      }
      case 'authorization_code': {
        const code = codes.get(form.get('code') ?? '')
        codes.delete(form.get('code') ?? '')
        const challenge = createHash('sha256')
          .update(form.get('code_verifier') ?? '')
          .digest('base64url')
        if (code === undefined || code.redirectUri !== form.get('redirect_uri') || code.challenge !== challenge) {
          return entraError(
            'invalid_grant',
            70000,
            'The code is invalid, was used before, or its verifier does not match.',
          )
        }
        return { ...token('user', code.mfa), refresh_token: entra.issueRefreshToken({ mfa: code.mfa }) }
      }
      default:
        return entraError('unsupported_grant_type', 70003, 'The grant type is not supported.')
    }
  }

  function refuseClient(form: URLSearchParams) {
    const assertion = form.get('client_assertion')
    if (assertion === null) {
      if (entra.clientSecrets.has(form.get('client_secret') ?? '')) return undefined
      return entraError('invalid_client', 7000215, 'Invalid client secret provided.')
    }
    const identity = entra.tokens.get(assertion)
    if (identity !== undefined) {
      const trusted =
        entra.trustsManagedIdentity && identity.audience.replace(/\/$/, '') === 'api://AzureADTokenExchange'
      return trusted ? undefined : entraError('invalid_client', 70021, 'No matching federated identity record found.')
    }
    return isSignedByRegisteredCertificate(assertion)
      ? undefined
      : entraError('invalid_client', 700027, 'The certificate is not registered.')
  }

  function isSignedByRegisteredCertificate(jwt: string): boolean {
    const [header = '', payload = '', signature = ''] = jwt.split('.')
    const { alg, ...claims } = JSON.parse(Buffer.from(header, 'base64url').toString() || '{}') as Record<
      string,
      unknown
    >
    return [...entra.certificates].some(pem => {
      const certificate = new X509Certificate(pem)
      const thumbprint = Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url')
      if (alg !== 'PS256' || claims['x5t#S256'] !== thumbprint) return false
      const key = { key: certificate.publicKey, padding: 6, saltLength: 32 }
      return verify('sha256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))
    })
  }

  function authorize({ request, response }: Exchange): true {
    const query = request.method === 'POST' ? new URLSearchParams(request.body) : request.query
    const redirectUri = query.get('redirect_uri') ?? ''
    if (query.get('client_id') !== entra.clientId || !/^http:\/\/localhost(:\d+)?\//.test(`${redirectUri}/`)) {
      response
        .writeHead(400, { 'content-type': 'text/html' })
        .end('<h1>AADSTS50011: the redirect URI is not registered</h1>')
      return true
    }
    if (request.method !== 'POST') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(signInPage(request.query))
      return true
    }
    const target = new URL(redirectUri)
    if (query.get('choice') === 'cancel') {
      target.searchParams.set('error', 'access_denied')
      target.searchParams.set('error_description', 'AADSTS65004: User declined to consent to access the app.')
    } else {
      const code = `code-${randomUUID()}`
      codes.set(code, { redirectUri, challenge: query.get('code_challenge'), mfa: query.get('mfa') === 'on' })
      target.searchParams.set('code', code)
    }
    target.searchParams.set('state', query.get('state') ?? '')
    response.writeHead(302, { location: target.href }).end()
    return true
  }

  return entra
}
